//! The objects and fields of the sandbox's Gainsight, read from `schema.txt`.
//!
//! It describes; it holds no records. In: the text that ships with the code, and the seed for the GSIDs of picklist
//! items. Out: [`Schema`], used by writes, queries and metadata alike, so that they cannot disagree.

use super::super::options::Error;
use super::gsid::{gsid, prefix};

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Kind {
    Text,
    RichText,
    Email,
    Url,
    Number,
    Currency,
    Percentage,
    Boolean,
    Date,
    DateTime,
    Gsid,
    Lookup,
    Picklist,
    MultiPicklist,
}

/// One item of a picklist.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Item {
    pub(in crate::sandbox) gsid: String,
    pub(in crate::sandbox) label: String,
    pub(in crate::sandbox) active: bool,
}

/// One field.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Field {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) label: String,
    pub(in crate::sandbox) kind: Kind,
    pub(in crate::sandbox) data_type: String,
    pub(in crate::sandbox) length: Option<usize>,
    pub(in crate::sandbox) decimals: usize,
    /// The object a lookup leads to.
    pub(in crate::sandbox) target: Option<String>,
    pub(in crate::sandbox) category: Option<String>,
    pub(in crate::sandbox) items: Vec<Item>,
    pub(in crate::sandbox) required: bool,
    pub(in crate::sandbox) read_only: bool,
    pub(in crate::sandbox) is_name: bool,
    pub(in crate::sandbox) default: Option<String>,
}

/// One object.
#[derive(Clone)]
pub(in crate::sandbox) struct Object {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) label: String,
    pub(in crate::sandbox) plural: String,
    pub(in crate::sandbox) prefix: String,
    pub(in crate::sandbox) origin: String,
    pub(in crate::sandbox) low_volume: bool,
    /// The first is always the GSID.
    pub(in crate::sandbox) fields: Vec<Field>,
}

/// The origin of objects that can be queried and nothing else.
const LOG: &str = "LOG";

/// All objects.
#[derive(Clone)]
pub(in crate::sandbox) struct Schema {
    pub(in crate::sandbox) objects: Vec<Object>,
}

impl Object {
    pub(in crate::sandbox) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Companies and low-volume custom objects are written by the object API; people and users have their own.
    pub(in crate::sandbox) fn generic_writes(&self) -> bool {
        self.low_volume && (self.name == "company" || self.origin == "CUSTOM")
    }
}

impl Schema {
    pub(in crate::sandbox) fn shipped(seed: u64, suffix: &str) -> Result<Self, Error> {
        let text = include_str!("schema.txt").replace("gainsight123", suffix);
        let (mut every, mut objects): (Vec<Field>, Vec<Object>) = (Vec::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let wrong = |reason: &str| Error::Schema { line: number + 1, reason: reason.to_owned() };
            if line.is_empty() || line.starts_with('#') || line == "every" {
            } else if let Some(rest) = line.strip_prefix("object ") {
                let mut object = object(rest, seed).ok_or_else(|| wrong("not an object line"))?;
                if object.origin != LOG {
                    object.fields.clone_from(&every);
                }
                objects.push(object);
            } else {
                match objects.last_mut() {
                    Some(object) => {
                        let field = field(line, seed, &object.name).ok_or_else(|| wrong("not a field line"))?;
                        object.fields.push(field);
                    }
                    None => every.push(field(line, seed, "every").ok_or_else(|| wrong("not a field line"))?),
                }
            }
        }
        Ok(Schema { objects })
    }

    /// What metadata shows of it.
    pub(in crate::sandbox) fn described(&self) -> Self {
        Schema { objects: self.objects.iter().filter(|object| object.origin != LOG).cloned().collect() }
    }

    /// Names of objects are compared without case.
    pub(in crate::sandbox) fn object(&self, name: &str) -> Option<usize> {
        self.objects.iter().position(|object| object.name.eq_ignore_ascii_case(name))
    }
}

fn object(line: &str, seed: u64) -> Option<Object> {
    let parts: Vec<&str> = line.split(" | ").collect();
    let &[name, label, plural, code, origin, volume] = parts.as_slice() else { return None };
    Some(Object {
        name: name.to_owned(),
        label: label.to_owned(),
        plural: plural.to_owned(),
        prefix: prefix(seed, code, name),
        origin: origin.to_owned(),
        low_volume: volume == "low",
        fields: Vec::new(),
    })
}

fn field(line: &str, seed: u64, object: &str) -> Option<Field> {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let &[name, label, data_type, detail, flags] = parts.as_slice() else { return None };
    let kind = kind(data_type)?;
    let mut field = Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        data_type: data_type.to_owned(),
        length: None,
        decimals: 0,
        target: None,
        category: None,
        items: Vec::new(),
        required: false,
        read_only: false,
        is_name: false,
        default: None,
    };
    for flag in flags.split(' ').filter(|flag| !flag.is_empty()) {
        match flag {
            "required" => field.required = true,
            "ro" => field.read_only = true,
            "name" => field.is_name = true,
            other => field.default = Some(other.strip_prefix("default=")?.to_owned()),
        }
    }
    match kind {
        Kind::Text | Kind::RichText | Kind::Email | Kind::Url | Kind::Gsid => field.length = Some(detail.parse().ok()?),
        Kind::Number | Kind::Currency | Kind::Percentage => field.decimals = detail.parse().ok()?,
        Kind::Lookup => field.target = Some(detail.to_owned()),
        Kind::Picklist | Kind::MultiPicklist => {
            let item_prefix = prefix(seed, "1I00", "dropdown");
            let owner = format!("{object}.{name}");
            let id = |text: &str| gsid(seed, &item_prefix, super::super::randomness::hash(text) as usize);
            field.category = Some(id(&owner));
            field.items = detail.split(';').map(|label| item(label, &owner, &id)).collect();
        }
        Kind::Boolean | Kind::Date | Kind::DateTime => {}
    }
    Some(field)
}

fn item(label: &str, owner: &str, id: &dyn Fn(&str) -> String) -> Item {
    let inactive = label.strip_prefix('(').and_then(|label| label.strip_suffix(')'));
    let label = inactive.unwrap_or(label);
    Item { gsid: id(&format!("{owner} {label}")), label: label.to_owned(), active: inactive.is_none() }
}

pub(in crate::sandbox) fn kind(data_type: &str) -> Option<Kind> {
    Some(match data_type {
        "STRING" => Kind::Text,
        "RICHTEXTAREA" => Kind::RichText,
        "EMAIL" => Kind::Email,
        "URL" => Kind::Url,
        "NUMBER" => Kind::Number,
        "CURRENCY" => Kind::Currency,
        "PERCENTAGE" => Kind::Percentage,
        "BOOLEAN" => Kind::Boolean,
        "DATE" => Kind::Date,
        "DATETIME" => Kind::DateTime,
        "GSID" => Kind::Gsid,
        "LOOKUP" => Kind::Lookup,
        "PICKLIST" => Kind::Picklist,
        "MULTISELECTDROPDOWNLIST" => Kind::MultiPicklist,
        _ => return None,
    })
}
