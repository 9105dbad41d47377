#!/bin/sh
# Stands in for a broker that cannot start.
echo "data directory is locked" >&2
exit 1
