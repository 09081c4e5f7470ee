//! `KEY (…)`: what a record is recognised by.

use super::mapping::target_field;
use crate::diagnostic::code::{AVATAR, KEY, REPEATED, TYPE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast;
use crate::model::job::{Fold, Key, Mapping, Route, Target};

/// The checked key. Each of its fields must be filled by a mapping of the same job.
pub(super) fn check(
    written: &ast::Job,
    targets: &[Option<Target>],
    mappings: &[Mapping],
    out: &mut Diagnostics,
) -> Vec<Key> {
    let Some(clause) = &written.key else {
        out.push(
            Diagnostic::error(
                KEY,
                written.targets.last().map_or(written.name.span, |target| target.span),
                format!("job \"{}\" has no KEY", written.name.text),
            )
            .help("add behind it: KEY (\"Field\") with a field that tells one record from another"),
        );
        return Vec::new();
    };
    let mut keys: Vec<Key> = Vec::new();
    for (field, ignore_case) in &clause.fields {
        let Some((target, found)) = target_field(field, targets, out) else { continue };
        if targets[target].as_ref().is_some_and(|t| t.route == Route::Avatar) {
            out.push(
                Diagnostic::error(AVATAR, field.span, "a field of an avatar cannot stand in KEY")
                    .help("use a field of User, such as User.\"Username\""),
            );
            continue;
        }
        if !found.writable {
            let message = format!("\"{}\" is set by Gainsight, so no mapping can fill it", found.label);
            out.push(
                Diagnostic::error(KEY, field.span, message)
                    .help("a key is a field that the job fills, such as an external id"),
            );
            continue;
        }
        let Some(mapping) = mappings.iter().position(|m| m.target == target && m.field.name == found.name) else {
            // A mapping with a mistake of its own has been reported, and is not counted as missing here.
            let was_written = written.mappings.iter().any(|m| m.target.field.text == field.field.text);
            if !was_written {
                let message = format!("the key field \"{}\" is not mapped", found.label);
                out.push(
                    Diagnostic::error(KEY, field.span, message)
                        .help(format!("add to SELECT: … AS {}", written_name(field))),
                );
            }
            continue;
        };
        if keys.iter().any(|k| k.mapping == mapping) {
            out.push(Diagnostic::error(REPEATED, field.span, "this field stands in KEY twice").help("remove it here"));
            continue;
        }
        if *ignore_case && found.kind.stored(0) != arrow::datatypes::DataType::Utf8 {
            let message = format!("IGNORE CASE is for texts, and \"{}\" is {}", found.label, found.kind.word());
            out.push(Diagnostic::error(TYPE, field.span, message).help("remove IGNORE CASE"));
            continue;
        }
        let fold = Fold::of(found.kind, mappings[mapping].value_type, *ignore_case);
        keys.push(Key { mapping, fold });
    }
    keys
}

fn written_name(field: &ast::TargetField) -> String {
    match &field.object {
        Some(object) => format!("\"{}\".\"{}\"", object.text, field.field.text),
        None => format!("\"{}\"", field.field.text),
    }
}
