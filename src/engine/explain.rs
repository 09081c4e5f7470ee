//! The plan as text, for `ferry explain`: made on tables without rows, by the very code that a run uses.

use super::compare;
use super::error::Result;
use super::lookup;
use super::lost;
use super::map::{self, Inputs};
use super::matching::Held;
use super::session::Engine;
use crate::model::dataset;
use crate::model::job::{Job, Route};

impl Engine {
    /// The optimised plans of both stages, each under a heading.
    ///
    /// # Errors
    /// If the plan cannot be built, which would be a bug.
    pub fn explain(&self, job: &Job) -> Result<Vec<(&'static str, String)>> {
        let objects = dataset::objects(job);
        let object = |name: &str| self.empty(&dataset::target(name), &dataset::object_schema(&objects[name]));
        let mut inputs = Inputs::default();
        let fields = dataset::table_fields(job, None);
        inputs.source = Some(self.empty(dataset::SOURCE, &dataset::table_schema(&fields, true, None))?);
        for relation in &job.relations {
            let fields = dataset::table_fields(job, Some(&relation.table.name));
            let schema = dataset::table_schema(&fields, false, Some(&relation.table.primary_id));
            inputs.relations.push(self.empty(&dataset::related(&relation.table.name), &schema)?);
        }
        for lookup in &job.lookups {
            let (name, schema) = lookup::dataset_of(lookup, job);
            inputs.lookups.push(self.empty(&name, &schema)?);
        }
        let mapped = map::plan(job, inputs)?;
        let schema = std::sync::Arc::new(mapped.schema().as_arrow().clone());
        let mut held = Held { targets: Vec::new(), avatars: None };
        for target in &job.targets {
            let is_avatar = target.route == Route::Avatar;
            held.targets.push(if is_avatar { None } else { Some(object(&target.object.name)?) });
        }
        if job.target_by_route(Route::Avatar).is_some() {
            held.avatars = Some(self.empty(dataset::AVATARS, &dataset::avatar_schema())?);
        }
        let refused = self.empty(dataset::REFUSED, &dataset::refused_schema())?;
        let again = Held { targets: held.targets.clone(), avatars: held.avatars.clone() };
        let compared =
            compare::plan(job, self.empty(dataset::MAPPED, &schema)?, held, refused.clone(), compare::shown(job))?;
        let schema = std::sync::Arc::new(compared.schema().as_arrow().clone());
        let mut stages = vec![
            ("map the source", mapped.into_optimized_plan()?.display_indent().to_string()),
            ("compare with the target", compared.into_optimized_plan()?.display_indent().to_string()),
        ];
        if job.keeps_links() {
            let links = self.empty(dataset::LINKS, &dataset::link_schema())?;
            let lost = lost::plan(job, self.empty(dataset::COMPARED, &schema)?, &links, &again, refused)?;
            let text = lost.into_optimized_plan()?.display_indent().to_string();
            stages.push(("find what the source lost", text));
        }
        Ok(stages)
    }
}
