//! Calls: the language's own functions, casts, and those of the catalog by their signatures.

use super::convert::{a, convert, unify};
use super::expression::{Typed, check, choice_of};
use super::familiar;
use super::pattern::constant;
use super::scope::Scope;
use crate::diagnostic::code::{CHOICE, FUNCTION, TYPE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::Name;
use crate::lang::ast_expression::{Argument, Call as Written, Expression as Value};
use crate::lang::suggest::nearest;
use crate::model::expression::{Call, Expression, Literal};
use crate::model::field::FieldKind;
use crate::model::fit::{can_cast, common};
use crate::model::function::{Function, Parameter, Signature};
use crate::model::value::ValueType;

/// The functions that are not in the catalog.
const OWN: [&str; 6] = ["CAST", "KEEP", "LABEL", "TREAT", "TRY_CAST", "TYPE_OF"];

/// A call.
pub(super) fn call(written: &Written, span: Span, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    let upper = written.name.text.to_ascii_uppercase();
    let wrong = |message: &str| Diagnostic::error(FUNCTION, span, message);
    if !written.tail.is_empty() && upper != "TREAT" {
        out.push(wrong("a value of a function has no columns").help("a path begins with an alias: o.ownerid.lastname"));
        return None;
    }
    match upper.as_str() {
        "CAST" | "TRY_CAST" => return cast(written, upper == "TRY_CAST", span, scope, out),
        "NOW" if written.arguments.is_empty() => return Some((Expression::Now, ValueType::DateTime)),
        "TODAY" | "CURRENT_DATE" if written.arguments.is_empty() => return Some((Expression::Today, ValueType::Date)),
        "TREAT" => {
            let help = "TREAT(o.ownerid AS systemuser).lastname";
            out.push(wrong("TREAT says to which table a lookup column leads, before one of its columns").help(help));
            return None;
        }
        "KEEP" if written.arguments.len() != 1 => {
            let help = "KEEP(a.column) leaves the target's value alone where it is null; COALESCE(a.column, 0) puts a value there";
            out.push(wrong("KEEP takes one value").help(help));
            return None;
        }
        "KEEP" => {
            out.push(wrong("KEEP stands around a whole mapping only").help("KEEP(expression) AS \"Field\""));
            return None;
        }
        "EXTRACT" => {
            out.push(wrong("there is no EXTRACT").help("write DATE_PART('year', …)"));
            return None;
        }
        _ => {}
    }
    let arguments = plain(written, &upper, out)?;
    match upper.as_str() {
        "LABEL" => label(&arguments, span, scope, out),
        "TYPE_OF" => type_of(&arguments, span, scope, out),
        _ => catalogued(&written.name, &upper, &arguments, span, scope, out),
    }
}

/// Arguments without `*` and `AS`.
fn plain<'w>(written: &'w Written, upper: &str, out: &mut Diagnostics) -> Option<Vec<&'w Value>> {
    let mut values = Vec::with_capacity(written.arguments.len());
    for argument in &written.arguments {
        match argument {
            Argument::Value(value, None) => values.push(value),
            Argument::Value(value, Some(of)) => {
                let message = format!("{upper} takes no AS {}", of.text);
                out.push(
                    Diagnostic::error(FUNCTION, of.span, message).help("CAST(… AS …) makes another type of a value"),
                );
                let _ = value;
                return None;
            }
            Argument::Star(span) => {
                let message = if upper == "COUNT" {
                    "a mapping works on one row, so there is nothing to count".to_owned()
                } else {
                    format!("{upper} takes a value, and `*` is none")
                };
                out.push(Diagnostic::error(FUNCTION, *span, message));
                return None;
            }
        }
    }
    Some(values)
}

fn cast(written: &Written, lenient: bool, span: Span, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    let word = if lenient { "TRY_CAST" } else { "CAST" };
    let [Argument::Value(value, Some(name))] = &written.arguments[..] else {
        let help = format!("{word}(o.closetext AS DATE)");
        out.push(Diagnostic::error(FUNCTION, span, format!("{word} takes a value, AS and a type")).help(help));
        return None;
    };
    let (operand, from) = check(value, scope, out)?;
    let types = "types are TEXT, INTEGER, DECIMAL, DOUBLE, BOOLEAN, DATE, DATETIME";
    let Some(to) = ValueType::named(&name.text) else {
        out.push(Diagnostic::error(TYPE, name.span, format!("there is no type {}", name.text)).help(types));
        return None;
    };
    if !can_cast(from, to) {
        let message = format!("{} cannot become {}", a(from), to.word());
        let mut wrong = Diagnostic::error(TYPE, span, message);
        if from == ValueType::Choices || (from == ValueType::Choice && to == ValueType::Text) {
            wrong = wrong.help("LABEL(…) is the text of a choice");
        }
        out.push(wrong);
        return None;
    }
    Some((Expression::Cast { operand: Box::new(operand), from, to, lenient }, to))
}

fn label(arguments: &[&Value], span: Span, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    let [argument] = arguments else {
        out.push(Diagnostic::error(FUNCTION, span, "LABEL takes one choice column"));
        return None;
    };
    let (expression, _) = check(argument, scope, out)?;
    match (&expression, choice_of(&expression, scope)) {
        (Expression::Column(index), Some(_)) => Some((Expression::Label(*index), ValueType::Text)),
        _ => {
            out.push(
                Diagnostic::error(CHOICE, argument.span, "LABEL takes a choice column, and this is none")
                    .help("a choice column of Dynamics holds a number that has a label, such as a.industrycode"),
            );
            None
        }
    }
}

fn type_of(arguments: &[&Value], span: Span, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    let [argument] = arguments else {
        out.push(Diagnostic::error(FUNCTION, span, "TYPE_OF takes one lookup column"));
        return None;
    };
    match check(argument, scope, out)?.0 {
        Expression::Column(index) if scope.columns[index].field.kind == FieldKind::Reference => {
            Some((Expression::TypeOf(index), ValueType::Text))
        }
        _ => {
            out.push(
                Diagnostic::error(FUNCTION, argument.span, "TYPE_OF takes a lookup column, and this is none")
                    .help("TYPE_OF(c.parentcustomerid) = 'account' is true where the parent is an account"),
            );
            None
        }
    }
}

fn catalogued(
    name: &Name,
    upper: &str,
    written: &[&Value],
    span: Span,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let functions = scope.context.functions;
    let ways = match functions.get(upper) {
        Some(Function::Offered(ways)) => ways,
        Some(Function::Refused(why)) => {
            out.push(Diagnostic::error(FUNCTION, name.span, format!("{upper} cannot be called")).help(why));
            return None;
        }
        None => {
            let wrong = Diagnostic::error(FUNCTION, name.span, format!("there is no function {upper}"));
            out.push(match (familiar::instead(upper), nearest(upper, functions.names().chain(OWN))) {
                (Some(help), _) => wrong.help(help),
                (None, Some(near)) => wrong.label(format!("did you mean {near}?")),
                (None, None) => wrong.help("`ferry explain F232` says which functions there are"),
            });
            return None;
        }
    };
    let arguments: Vec<_> = written.iter().map(|a| check(a, scope, out).map(|typed| (typed, a.span))).collect();
    let arguments: Vec<(Typed, Span)> = arguments.into_iter().collect::<Option<_>>()?;
    let cost = |way: &&Signature| {
        let each = arguments.iter().enumerate().map(|(n, ((e, t), _))| distance(e, *t, way.parameter(n)?));
        way.takes(arguments.len()).then(|| each.sum::<Option<u32>>()).flatten()
    };
    let best = ways.iter().filter_map(|way| Some((cost(&way)?, way))).min_by_key(|(cost, _)| *cost);
    let Some((_, way)) = best else {
        let found: Vec<&str> = arguments.iter().map(|((_, t), _)| t.word()).collect();
        let message = format!("{upper} does not take ({})", found.join(", "));
        let shown: Vec<String> = ways.iter().map(|way| way.shown(upper)).collect();
        let mut wrong = Diagnostic::error(FUNCTION, span, message).help(format!("it is {}", shown.join(" or ")));
        if arguments.iter().any(|((e, _), _)| choice_of(e, scope).is_some()) {
            wrong = wrong.help("LABEL(…) is the text of a choice");
        } else if let Some(help) = ways.iter().find_map(|way| nearly(way, &arguments)) {
            wrong = wrong.help(help);
        }
        out.push(wrong);
        return None;
    };
    bound(upper, way, arguments, out)
}

/// What would make the arguments fit: a cast to text, or a constant where one is wanted.
fn nearly(way: &Signature, arguments: &[(Typed, Span)]) -> Option<&'static str> {
    if !way.takes(arguments.len()) {
        return None;
    }
    let mut wrong = arguments.iter().enumerate().filter_map(|(n, ((value, found), _))| {
        let parameter = way.parameter(n)?;
        distance(value, *found, parameter).is_none().then_some((parameter, *found))
    });
    match wrong.next()? {
        (Parameter::Value(ValueType::Text), found) if can_cast(found, ValueType::Text) => {
            Some("CAST(… AS TEXT) makes a text of a value")
        }
        (Parameter::Pattern | Parameter::Format | Parameter::DatePart | Parameter::TruncatePart, ValueType::Text) => {
            Some("what stands in quotes here is a constant")
        }
        _ => None,
    }
}

/// How far an argument is from a parameter: nothing if it is of its type; none if it does not fit.
fn distance(value: &Expression, found: ValueType, parameter: Parameter) -> Option<u32> {
    use ValueType::{Choice, Date, DateTime, Decimal, Double, Gsid, Guid, Integer, Null, Text};
    let wanted = match parameter {
        Parameter::Value(wanted) => wanted,
        Parameter::Between(..) => Integer,
        Parameter::Same => return (!matches!(found, ValueType::Choices | ValueType::Interval)).then_some(0),
        Parameter::Pattern | Parameter::Format | Parameter::DatePart | Parameter::TruncatePart => {
            return matches!(value, Expression::Literal(Literal::Text(_))).then_some(0);
        }
    };
    match (found, wanted) {
        (a, b) if a == b => Some(0),
        (Null, _) | (Choice, Integer) | (Guid | Gsid, Text) | (Integer, Decimal) | (Date, DateTime) => Some(1),
        (Decimal, Double) | (Choice, Decimal) => Some(2),
        (Integer | Choice, Double) => Some(3),
        _ => None,
    }
}

/// The call with its arguments as the signature wants them.
fn bound(upper: &str, way: &Signature, arguments: Vec<(Typed, Span)>, out: &mut Diagnostics) -> Option<Typed> {
    let is_same = |n: usize| way.parameter(n) == Some(Parameter::Same);
    let same: Vec<_> = arguments.iter().enumerate().filter(|(n, _)| is_same(*n)).map(|(_, a)| a.clone()).collect();
    let why = format!("{upper} takes values of one type");
    let (same, shared) = unify(same, FUNCTION, &why, out)?;
    let mut same = same.into_iter();
    let (mut values, mut bounds) = (Vec::new(), Vec::new());
    for (n, ((value, found), span)) in arguments.into_iter().enumerate() {
        let mut limit = None;
        values.push(match way.parameter(n)? {
            Parameter::Same => same.next()?,
            Parameter::Value(wanted) => convert(value, found, wanted),
            Parameter::Between(least, most) => {
                limit = between(upper, &value, (least, most), span, out)?;
                convert(value, found, ValueType::Integer)
            }
            parameter => constant(parameter, value, span, out)?,
        });
        bounds.push(limit);
    }
    let returns = way.returns.unwrap_or(if shared == ValueType::Choice { ValueType::Integer } else { shared });
    debug_assert!(common(returns, returns).is_some());
    let of_days = way.parameters.contains(&Parameter::Value(ValueType::Date));
    let function = Call { name: upper.to_owned(), returns, of_days, bounds };
    Some((Expression::Call { function, arguments: values }, returns))
}

/// The bounds that have to be held at run time: none for a constant, which is held against them here.
#[allow(clippy::option_option)]
fn between(
    upper: &str,
    value: &Expression,
    (least, most): (i64, i64),
    span: Span,
    out: &mut Diagnostics,
) -> Option<Option<(i64, i64)>> {
    match value {
        Expression::Literal(Literal::Integer(number)) if (least..=most).contains(number) => Some(None),
        Expression::Literal(Literal::Integer(_)) => {
            let message = format!("{upper} takes a number from {least} to {most} here");
            out.push(Diagnostic::error(FUNCTION, span, message));
            None
        }
        _ => Some(Some((least, most))),
    }
}
