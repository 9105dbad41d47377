//! Reads the notation of shapes (see the module above) for one version.
//!
//! The text is ours and each entry is read by a test in every version, so a fault in it is a panic.

use super::walk::{Array, Shape, Step};
use crate::Versions;

/// Reads an entry as it is in `version`. Elements of arrays are copied into others of
/// `raised_bytes` after decoding (numbers into numbers).
pub(super) fn parse(text: &str, version: i16, flexible: bool, raised_bytes: usize) -> Shape {
    let mut parser = Parser { rest: text, version, flexible, raised_bytes };
    let fields = parser.fields();
    assert!(parser.rest.is_empty(), "unread shape: {}", parser.rest);
    Shape::new(fields.steps, flexible)
}

struct Parser<'a> {
    rest: &'a str,
    version: i16,
    flexible: bool,
    raised_bytes: usize,
}

/// Fields that follow each other.
#[derive(Default)]
struct Fields {
    steps: Vec<Step>,
    /// The fewest bytes that they take on the wire.
    min_bytes: usize,
    /// The bytes that they take once decoded: those of every version, since the types hold all.
    memory_bytes: usize,
}

/// A field before it is known whether the version has it.
struct Field {
    fields: Fields,
    nullable: fn(Fields) -> Fields,
}

impl Parser<'_> {
    /// Fields up to a closing brace or the end, with the tagged section that ends them.
    fn fields(&mut self) -> Fields {
        let mut all = Fields::default();
        let mut tagged = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with('}') {
                break;
            }
            let field = self.field();
            let nullable = self.eat('?') && self.versions().contains(self.version);
            let present = !self.eat('@') || self.versions().contains(self.version);
            let tag = if self.eat('#') { Some(self.number() as u32) } else { None };
            let Field { fields, nullable: make_nullable } = field;
            let fields = if nullable { make_nullable(fields) } else { fields };
            all.memory_bytes += fields.memory_bytes;
            match tag {
                _ if !present => {}
                Some(tag) => tagged.push((tag, fields.steps)),
                None => all.append(fields),
            }
        }
        if self.flexible {
            all.push(Step::Tags(tagged), 1);
        }
        all.memory_bytes += 24; // the map of unknown tagged fields
        all.memory_bytes = all.memory_bytes.next_multiple_of(8);
        all
    }

    fn field(&mut self) -> Field {
        match self.rest.as_bytes()[0] {
            b'[' => self.array(),
            b'{' => self.structure(),
            _ => self.primitive(),
        }
    }

    fn array(&mut self) -> Field {
        self.expect('[');
        let each = self.field().fields;
        self.expect(']');
        let raised_bytes = match each.steps[..] {
            [Step::Skip(bytes)] => bytes.min(self.raised_bytes),
            _ => self.raised_bytes,
        };
        let array = Array {
            nullable: false,
            min_bytes: each.min_bytes.max(1),
            memory_bytes: each.memory_bytes,
            raised_bytes,
            each: each.steps,
        };
        let min_bytes = if self.flexible { 1 } else { 4 };
        let nullable = |mut fields: Fields| {
            if let Some(Step::Array(array)) = fields.steps.first_mut() {
                array.nullable = true;
            }
            fields
        };
        Field { fields: Fields::one(Step::Array(Box::new(array)), min_bytes, 24), nullable }
    }

    fn structure(&mut self) -> Field {
        self.expect('{');
        let fields = self.fields();
        self.expect('}');
        let nullable = |fields: Fields| {
            let memory_bytes = fields.memory_bytes + 8;
            Fields::one(Step::Option(fields.steps), 1, memory_bytes)
        };
        Field { fields, nullable }
    }

    fn primitive(&mut self) -> Field {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        let (str_bytes, bytes_bytes) = if self.flexible { (1, 1) } else { (2, 4) };
        let fixed = |bytes| Fields::one(Step::Skip(bytes), bytes, bytes);
        let fields = match name {
            "i8" => fixed(1),
            "i16" => fixed(2),
            "i32" => fixed(4),
            "i64" => fixed(8),
            "uuid" => fixed(16),
            "str" => Fields::one(Step::Str { nullable: false }, str_bytes, 32),
            "bytes" => Fields::one(Step::Bytes { nullable: false }, bytes_bytes, 32),
            other => panic!("{other} is no shape"),
        };
        let nullable = |mut fields: Fields| {
            match fields.steps.first_mut() {
                Some(Step::Str { nullable } | Step::Bytes { nullable }) => *nullable = true,
                step => panic!("{step:?} can't be null"),
            }
            fields
        };
        Field { fields, nullable }
    }

    /// A range such as `7+`, `2-4`, `6`; nothing means all.
    fn versions(&mut self) -> Versions {
        if !self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Versions { min: 0, max: i16::MAX };
        }
        let min = self.number();
        let max = match () {
            () if self.eat('+') => i16::MAX,
            () if self.eat('-') => self.number(),
            () => min,
        };
        Versions { min, max }
    }

    fn number(&mut self) -> i16 {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().expect("a number stands here in every shape")
    }

    fn eat(&mut self, mark: char) -> bool {
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, mark: char) {
        assert!(self.eat(mark), "{mark} is missing at: {}", self.rest);
    }
}

impl Fields {
    fn one(step: Step, min_bytes: usize, memory_bytes: usize) -> Self {
        Fields { steps: vec![step], min_bytes, memory_bytes }
    }

    fn append(&mut self, fields: Fields) {
        self.min_bytes += fields.min_bytes;
        for step in fields.steps {
            self.push(step, 0);
        }
    }

    fn push(&mut self, step: Step, min_bytes: usize) {
        self.min_bytes += min_bytes;
        match (self.steps.last_mut(), step) {
            (Some(Step::Skip(before)), Step::Skip(more)) => *before += more,
            (_, step) => self.steps.push(step),
        }
    }
}
