#!/usr/bin/env python3
"""Derives ../../src/shape/{requests,responses}.shapes from Kafka's message definitions.

usage: derive_shapes.py DIR, where DIR holds the *.json of common/message/ in the kafka-clients jar.
The notation is explained in ../../src/shape.rs.
"""

import json
import pathlib
import re
import sys
import textwrap

NEVER_SENT_BY_CLIENTS = {52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82}  # controllers only
PRIMITIVES = {
    "bool": "i8", "int8": "i8", "int16": "i16", "uint16": "i16", "int32": "i32", "uint32": "i32",
    "int64": "i64", "float64": "i64", "uuid": "uuid", "string": "str", "bytes": "bytes", "records": "bytes",
}


def load(path):
    text = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M)
    return json.loads(re.sub(r"\s//[^\"\n]*$", "", text, flags=re.M))


def span(text, highest):
    """(lowest, highest) of "none", "3", "3+" or "2-7", cut at the message's highest version."""
    if text in (None, "none"):
        return None
    if text.endswith("+"):
        return int(text[:-1]), highest
    lowest, _, top = text.partition("-")
    return int(lowest), min(int(top or lowest), highest)


def suffix(mark, inner, outer):
    """How `inner` is written within `outer`: nothing if it covers it, else mark and range."""
    lowest, highest = inner
    if lowest <= outer[0] and highest >= outer[1]:
        return mark if mark == "?" else ""
    if highest >= outer[1]:
        return f"{mark}{lowest}+"
    return f"{mark}{lowest}-{highest}"


def shape(kind, fields, structs, valid):
    if kind.startswith("[]"):
        return "[" + shape(kind[2:], fields, structs, valid) + "]"
    if kind in PRIMITIVES:
        return PRIMITIVES[kind]
    return "{" + " ".join(field_shapes(fields or structs[kind], structs, valid)) + "}"


def field_shapes(fields, structs, valid):
    for field in fields:
        versions = span(field["versions"], valid[1])
        if versions is None or versions[1] < valid[0] or versions[0] > versions[1]:
            continue
        text = shape(field["type"], field.get("fields"), structs, valid)
        nullable = span(field.get("nullableVersions"), valid[1])
        if nullable and nullable[1] >= valid[0]:
            text += suffix("?", nullable, (max(versions[0], valid[0]), versions[1]))
        text += suffix("@", versions, valid)
        if "tag" in field:
            assert span(field["taggedVersions"], valid[1]) == versions, field
            text += f"#{field['tag']}"
        yield text


def main():
    messages = [load(path) for path in pathlib.Path(sys.argv[1]).glob("*.json")]
    for kind in ("request", "response"):
        lines = []
        for message in sorted((m for m in messages if m["type"] == kind), key=lambda m: m["apiKey"]):
            if message["validVersions"] == "none" or message["apiKey"] in NEVER_SENT_BY_CLIENTS:
                continue
            structs = {s["name"]: s["fields"] for s in message.get("commonStructs", [])}
            valid = span(message["validVersions"], 99)
            name = message["name"].removesuffix("Request").removesuffix("Response")
            text = " ".join(field_shapes(message["fields"], structs, valid))
            lines += textwrap.wrap(f"{name}: {text}", 100, subsequent_indent="    ", break_long_words=False)
        target = pathlib.Path(__file__).parent / f"../../src/shape/{kind}s.shapes"
        target.write_text("\n".join(lines) + "\n")


main()
