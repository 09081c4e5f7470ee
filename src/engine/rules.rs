//! What is done to every physical plan before it is carried out: joins become ours, and files are dealt out in turns.
//!
//! Plans are the same without these rules, and slower; a cluster, which knows built-in operators only, goes without. In and out: plans.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;

use super::attach::Attach;
use super::means::Means;

/// Joins that build a side become [`Attach`].
#[derive(Debug)]
pub(super) struct OwnJoins(pub(super) Means);

impl PhysicalOptimizerRule for OwnJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let mut joins = 0;
        plan.apply(|node| {
            joins += usize::from(node.is::<HashJoinExec>());
            Ok(TreeNodeRecursion::Continue)
        })?;
        let room = self.0.room(joins);
        let changed = plan.transform_up(|node| {
            let own = node.downcast_ref::<HashJoinExec>().and_then(|join| Attach::in_place_of(join, room));
            Ok(match own {
                Some(own) => Transformed::yes(Arc::new(own) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        })?;
        Ok(changed.data)
    }

    fn name(&self) -> &'static str {
        "own_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The files of a dataset go to the partitions in turns, one by one, so that partitions move through its rows side by side.
#[derive(Debug)]
pub(super) struct InTurns;

impl PhysicalOptimizerRule for InTurns {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let changed = plan.transform_up(|node| {
            let scan = node.downcast_ref::<DataSourceExec>();
            let Some(config) = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>()) else {
                return Ok(Transformed::no(node));
            };
            let count = config.file_groups.len();
            let mut files: Vec<_> = config.file_groups.iter().flat_map(|group| group.files().to_vec()).collect();
            files.sort_by(|a, b| a.path().cmp(b.path()));
            let mut groups = vec![Vec::new(); count.max(1)];
            for (at, file) in files.into_iter().enumerate() {
                groups[at % count.max(1)].push(file);
            }
            let groups = groups.into_iter().map(FileGroup::new).collect();
            let config =
                FileScanConfigBuilder::from(config.clone()).with_file_groups(groups).with_preserve_order(true).build();
            Ok(Transformed::yes(DataSourceExec::from_data_source(config) as Arc<dyn ExecutionPlan>))
        })?;
        Ok(changed.data)
    }

    fn name(&self) -> &'static str {
        "files_in_turns"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
