//! A generated job, and how a script writes it.

use super::expression::{E, constant};
use super::tables::{Field, Object, Searched, Shape};
use super::value::{T, V};

#[derive(Debug, Clone)]
pub struct Job {
    pub shape: &'static Shape,
    pub zone: &'static str,
    pub verb: Verb,
    /// Indices into `mappings`, each with whether case counts.
    pub keys: Vec<(usize, bool)>,
    pub duplicate: Duplicate,
    pub mappings: Vec<Mapping>,
    pub lookups: Vec<Lookup>,
    /// The parts of `WHERE`, joined by `AND`.
    pub filter: Vec<E>,
    pub requires: Vec<(E, String)>,
    pub unknown_choice: Unknown,
    pub unknown_item: Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Upsert,
    Insert,
    Update,
}

#[derive(Debug, Clone)]
pub enum Duplicate {
    /// What holds where nothing is said.
    Unsaid,
    Error,
    Reject,
    Latest(E),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    Error,
    Null,
    Text,
}

#[derive(Debug, Clone)]
pub struct Mapping {
    pub field: &'static Field,
    pub value: E,
    pub of: T,
    pub keep: bool,
}

#[derive(Debug, Clone)]
pub struct Lookup {
    pub object: &'static Object,
    pub matches: Vec<Match>,
    pub after_load: bool,
    pub multiple: Multiple,
    pub none: Nothing,
}

#[derive(Debug, Clone)]
pub struct Match {
    pub field: &'static Searched,
    pub value: E,
    pub of: T,
    pub ignore_case: bool,
}

#[derive(Debug, Clone)]
pub enum Multiple {
    Error,
    Any,
    /// Fields, each with whether the greatest comes first.
    First(Vec<(&'static Searched, bool)>),
}

#[derive(Debug, Clone)]
pub enum Nothing {
    Reject,
    Use(V),
}

impl Job {
    /// The statement, under a name.
    pub fn written(&self, name: &str) -> String {
        let alias = self.shape.alias;
        let verb = match self.verb {
            Verb::Upsert => "UPSERT INTO",
            Verb::Insert => "INSERT INTO",
            Verb::Update => "UPDATE",
        };
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|(at, ignore)| {
                format!("\"{}\"{}", self.mappings[*at].field.label, if *ignore { " IGNORE CASE" } else { "" })
            })
            .collect();
        let mappings: Vec<String> = self.mappings.iter().map(|m| mapping(m, alias)).collect();
        let mut text = format!("CREATE JOB \"{name}\"\n");
        if self.zone != "UTC" {
            text += &format!("TIME ZONE '{}'\n", self.zone);
        }
        text += &format!("AS {verb} {} KEY ({})\n", self.shape.target, keys.join(", "));
        text += &match &self.duplicate {
            Duplicate::Unsaid => String::new(),
            Duplicate::Error => "WHEN DUPLICATE KEY THEN ERROR\n".to_owned(),
            Duplicate::Reject => "WHEN DUPLICATE KEY THEN REJECT\n".to_owned(),
            Duplicate::Latest(by) => format!("WHEN DUPLICATE KEY THEN KEEP LATEST BY {}\n", by.written(alias)),
        };
        text += &format!("SELECT\n{}\nFROM dynamics.{} AS {alias}\n", mappings.join(",\n"), self.shape.table);
        for (number, lookup) in self.lookups.iter().enumerate() {
            text += &lookup.written(number, alias);
        }
        if !self.filter.is_empty() {
            let parts: Vec<String> = self.filter.iter().map(|e| format!("({})", e.written(alias))).collect();
            text += &format!("WHERE {}\n", parts.join("\n  AND "));
        }
        for (condition, message) in &self.requires {
            text += &format!("REQUIRE {} ELSE REJECT '{message}'\n", condition.written(alias));
        }
        let becomes = |u: Unknown| match u {
            Unknown::Error => "ERROR",
            Unknown::Null => "NULL",
            Unknown::Text => "TEXT",
        };
        if self.unknown_choice != Unknown::Error {
            text += &format!("ON UNKNOWN CHOICE {}\n", becomes(self.unknown_choice));
        }
        if self.unknown_item != Unknown::Error {
            text += &format!("ON UNKNOWN ITEM {}\n", becomes(self.unknown_item));
        }
        text + ";\n"
    }

    /// Whether the lookup is decided last, as it also sees what the run writes.
    pub fn is_late(&self, lookup: &Lookup) -> bool {
        lookup.after_load && lookup.object.name == self.shape.object
    }

    /// The late lookup whose GSID a mapping takes.
    pub fn waits_for(&self, mapping: &Mapping) -> Option<usize> {
        match mapping.value {
            E::Looked(number, _) if self.is_late(&self.lookups[number]) => Some(number),
            _ => None,
        }
    }
}

fn mapping(one: &Mapping, alias: &str) -> String {
    let value = one.value.written(alias);
    let value = if one.keep { format!("KEEP({value})") } else { value };
    format!("  {value} AS \"{}\"", one.field.label)
}

impl Lookup {
    fn written(&self, number: usize, alias: &str) -> String {
        let own = format!("l{number}");
        let matches: Vec<String> = self
            .matches
            .iter()
            .map(|m| {
                let ignore = if m.ignore_case { " IGNORE CASE" } else { "" };
                let value = m.value.written(alias);
                let is_simple = matches!(m.value, E::Column(_) | E::Const(_));
                let value = if is_simple { value } else { format!("({value})") };
                format!("{own}.{} = {value}{ignore}", m.field.written)
            })
            .collect();
        let multiple = match &self.multiple {
            Multiple::Error => "ERROR".to_owned(),
            Multiple::Any => "USE ANY".to_owned(),
            Multiple::First(by) => {
                let by = by.iter().map(|(f, desc)| format!("{own}.{}{}", f.written, if *desc { " DESC" } else { "" }));
                format!("USE FIRST BY {}", by.collect::<Vec<_>>().join(", "))
            }
        };
        let none = match &self.none {
            Nothing::Reject => "REJECT".to_owned(),
            Nothing::Use(value) => format!("USE {}", constant(value)),
        };
        format!(
            "LOOKUP {} AS {own} ON {}{}\n  WHEN MULTIPLE MATCHED THEN {multiple}\n  WHEN NOT MATCHED THEN {none}\n",
            self.object.written,
            matches.join(" AND "),
            if self.after_load { " AFTER LOAD" } else { "" },
        )
    }
}
