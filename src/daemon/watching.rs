//! Everything that watches the daemon, behind one ear: its health, its metrics, its traces.

use std::sync::Arc;

use super::health::Health;
use super::measured::budgets;
use super::metrics::Metrics;
use super::told::Told;
use super::traces::Traces;
use crate::app::workspace::Setting;

/// See [`self`].
pub struct Watching {
    /// Whether it is alive and ready.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    traces: Option<Traces>,
    setting: Setting,
}

impl Watching {
    /// Watches a daemon of this setting.
    #[must_use]
    pub fn new(setting: &Setting, traces: Option<Traces>) -> Self {
        Self {
            health: Arc::new(Health::new(setting.clock)),
            metrics: Arc::new(Metrics::new()),
            traces,
            setting: setting.clone(),
        }
    }

    /// Hears what happened.
    pub fn hear(&self, told: &Told) {
        self.health.hear(told);
        self.metrics.hear(told);
        if let Told::Started(_) | Told::Reloaded(_) = told {
            self.metrics.set_budgets(budgets(&self.setting));
        }
        if let Some(traces) = &self.traces {
            traces.hear(told);
        }
    }

    /// Sends the last traces.
    pub async fn end(self) {
        if let Some(traces) = self.traces {
            traces.end().await;
        }
    }
}
