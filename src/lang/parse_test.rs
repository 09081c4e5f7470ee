//! `CREATE TEST`: pairs → AST.

use pest::iterators::Pair;

use super::ast::{Expect, Expected, Given, Name, Row, Rows, Test};
use super::parse::Origin;
use super::parse_expression::literal;
use super::parse_job::find;
use super::syntax::Rule;

pub(super) fn test(origin: Origin, pair: Pair<'_, Rule>) -> Test {
    let span = origin.span(&pair);
    let mut names: Vec<Name> = Vec::new();
    let (mut now, mut given, mut expect) = (Vec::new(), Vec::new(), Vec::new());
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::name => names.push(origin.name(&part)),
            Rule::given => {
                let place = origin.span(&part);
                let body = part.into_inner().last().expect("GIVEN has a content");
                if body.as_rule() == Rule::given_now {
                    now.extend(origin.names(body.into_inner()));
                } else {
                    let object = body.clone().into_inner().next().expect("the grammar wants an object");
                    given.push(Given { object: origin.object(object), rows: rows(origin, body), span: place });
                }
            }
            Rule::expect => expect.push(expectation(origin, part)),
            _ => {}
        }
    }
    let job = names.pop().expect("a test names a job");
    Test { name: names.pop().expect("a test has a name"), job, now, given, expect, span }
}

fn expectation(origin: Origin, pair: Pair<'_, Rule>) -> Expect {
    let span = origin.span(&pair);
    let body = pair.into_inner().last().expect("EXPECT has a content");
    let first = body.clone().into_inner().next().expect("EXPECT says about what");
    let what = match first.as_rule() {
        Rule::kw_rejects => Expected::Rejects,
        Rule::kw_errors => Expected::Errors,
        Rule::kw_unchanged => Expected::Unchanged,
        _ => Expected::Records(origin.object(first)),
    };
    let expected = find(body, Rule::expected).expect("EXPECT has rows, or NONE");
    let has_rows = expected.clone().into_inner().any(|p| p.as_rule() == Rule::columns);
    Expect { what, rows: has_rows.then(|| rows(origin, expected)), span }
}

fn rows(origin: Origin, pair: Pair<'_, Rule>) -> Rows {
    let mut made = Rows { columns: Vec::new(), rows: Vec::new() };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::columns => made.columns = origin.names(part.into_inner()),
            Rule::row => {
                let span = origin.span(&part);
                let values = part.into_inner().map(|p| (literal(&p), origin.span(&p))).collect();
                made.rows.push(Row { values, span });
            }
            _ => {}
        }
    }
    made
}
