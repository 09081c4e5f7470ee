//! FetchXML: one entity, its attributes, their order, and the page that is wanted.
//!
//! Conditions are read in `fetch_filter`, rows in `fetch_page`. Links to other entities, aggregates and distinct rows answer
//! 501. In: the XML of a `fetchXml` option. Out: the same options as `$select`, `$filter`, `$orderby` and `$top` give.

use roxmltree::{Document, Node, ParsingOptions};

use super::super::assumptions::{BATCH_ADDRESS_LIMIT, FETCH_NODES, INVALID_FETCH, PAGE_LIMIT};
use super::errors::Refusal;
use super::fetch_filter;
use super::filter::Condition;
use super::options::{Options, select};
use super::order::Order;
use super::schema::TableSchema;

/// What a fetch asks for.
pub(in crate::sandbox) struct Fetch {
    pub(in crate::sandbox) options: Options,
    /// Rows of a page.
    pub(in crate::sandbox) count: Option<usize>,
    /// The page that is wanted; the first is 1.
    pub(in crate::sandbox) page: usize,
    pub(in crate::sandbox) cookie: Option<String>,
}

/// The refusal of XML that is no fetch.
pub(in crate::sandbox) fn invalid(text: impl std::fmt::Display) -> Refusal {
    Refusal::new(400, INVALID_FETCH, format!("Invalid XML. {text}"))
}

/// The column of an attribute by its logical name.
pub(in crate::sandbox) fn attribute(table: &TableSchema, name: &str) -> Result<usize, Refusal> {
    table.logical_column(name).ok_or_else(|| {
        let text = format!(
            "'{}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.",
            table.logical
        );
        Refusal::new(400, "0x80041103", text)
    })
}

impl Fetch {
    /// Reads a fetch of a table; `now` is the moment in seconds since 1970.
    pub(in crate::sandbox) fn read(text: &str, table: &TableSchema, now: i64) -> Result<Self, Refusal> {
        if text.len() > BATCH_ADDRESS_LIMIT {
            return Err(invalid("It is too long."));
        }
        // Without a document type there are no entities but XML's own five.
        let parsing = ParsingOptions { allow_dtd: false, nodes_limit: FETCH_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, parsing).map_err(invalid)?;
        let root = document.root_element();
        if root.tag_name().name() != "fetch" {
            return Err(invalid("Its element is not 'fetch'."));
        }
        let mut fetch = Fetch { options: Options::default(), count: None, page: 1, cookie: None };
        let mut pages = false;
        for one in root.attributes() {
            pages |= matches!(one.name(), "count" | "page" | "paging-cookie");
            fetch.take(one.name(), one.value())?;
        }
        if pages && fetch.options.top.is_some() {
            return Err(invalid("The top attribute can't be specified with paging attributes."));
        }
        let entities: Vec<Node<'_, '_>> = root.children().filter(Node::is_element).collect();
        let [entity] = entities.as_slice() else { return Err(invalid("It must have one 'entity'.")) };
        fetch.entity(*entity, table, now)?;
        Ok(fetch)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
        let positive = || number().ok_or_else(|| invalid(format!("'{value}' is no {name}.")));
        match name {
            // What a fetch says of its own form and of locks changes no answer.
            "version" | "mapping" | "output-format" | "no-lock" | "latematerialize" => {}
            "distinct" | "aggregate" | "returntotalrecordcount" if matches!(value, "false" | "0") => {}
            "count" => self.count = Some(positive()?.min(PAGE_LIMIT)),
            "page" => self.page = positive()?,
            "top" => self.options.top = Some(positive()?.min(PAGE_LIMIT)),
            "paging-cookie" => self.cookie = Some(value.to_owned()),
            other => return Err(Refusal::missing(&format!("{other} of a fetch"))),
        }
        Ok(())
    }

    fn entity(&mut self, entity: Node<'_, '_>, table: &TableSchema, now: i64) -> Result<(), Refusal> {
        if entity.tag_name().name() != "entity" {
            return Err(invalid(format!("'{}' is not 'entity'.", entity.tag_name().name())));
        }
        let [name] = named(entity, ["name"])?;
        if name != Some(table.logical.as_str()) {
            let text = format!(
                "The entity '{}' of the fetch is not that of the entity set '{}'.",
                name.unwrap_or_default(),
                table.set
            );
            return Err(Refusal::option(text));
        }
        let (mut properties, mut all, mut by) = (Vec::new(), false, Vec::new());
        let mut filters = Vec::new();
        for child in entity.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "all-attributes" => all = true,
                "attribute" => {
                    let [name] = named(child, ["name"])?;
                    let column = attribute(table, name.unwrap_or_default())?;
                    properties.push(table.columns[column].property.as_str());
                }
                "order" => {
                    let [name, descending] = named(child, ["attribute", "descending"])?;
                    let descends = match descending.unwrap_or("false") {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        other => return Err(invalid(format!("'{other}' is no way to order."))),
                    };
                    by.push((attribute(table, name.unwrap_or_default())?, descends));
                }
                "filter" => filters.push(fetch_filter::read(child, table, now)?),
                "link-entity" => return Err(Refusal::missing("link-entity in a fetch")),
                other => return Err(invalid(format!("'{other}' cannot stand in 'entity'."))),
            }
        }
        if !all && !properties.is_empty() {
            self.options.select_text = properties.join(",");
            self.options.select = Some(select(&self.options.select_text, table)?);
        }
        self.options.order = (!by.is_empty()).then_some(Order { by });
        self.options.filter = (!filters.is_empty()).then_some(Condition::All(filters));
        Ok(())
    }
}

/// The attributes of an element that are known here; another one has a meaning that the sandbox lacks.
pub(in crate::sandbox) fn named<'a, const N: usize>(
    node: Node<'a, '_>,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], Refusal> {
    if let Some(other) = node.attributes().find(|one| !names.contains(&one.name())) {
        return Err(Refusal::missing(&format!("{} of '{}' in a fetch", other.name(), node.tag_name().name())));
    }
    Ok(names.map(|name| node.attribute(name)))
}
