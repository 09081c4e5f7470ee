//! The query options of a metadata request, and what they leave of a definition.
//!
//! In: a query string or the options of an `$expand` item. Out: definitions that are wanted, cut down to `$select`.

use serde_json::Value;

use super::errors::Refusal;
use super::member_filter::MemberFilter;
use super::nested::{Item, items};
use super::options::unknown;

/// Expansions inside each other; the service allows two.
const DEPTH: usize = 2;

/// The options of a metadata request.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Wish {
    pub(in crate::sandbox) select: Option<Vec<String>>,
    pub(in crate::sandbox) filter: Option<MemberFilter>,
    pub(in crate::sandbox) expand: Vec<(String, Wish)>,
    pub(in crate::sandbox) count: bool,
}

impl Wish {
    pub(in crate::sandbox) fn read(query: &str) -> Result<Self, Refusal> {
        let mut wish = Wish::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            wish.take(&name, &value, DEPTH)?;
        }
        Ok(wish)
    }

    fn item(item: &Item<'_>, depth: usize) -> Result<Self, Refusal> {
        let mut wish = Wish::default();
        for (name, value) in &item.options {
            wish.take(name, value, depth)?;
        }
        Ok(wish)
    }

    fn take(&mut self, name: &str, value: &str, depth: usize) -> Result<(), Refusal> {
        match name {
            "$select" => self.select = Some(value.split(',').map(|name| name.trim().to_owned()).collect()),
            "$filter" => self.filter = Some(MemberFilter::read(value)?),
            "$expand" if depth > 0 => {
                for item in items(value)? {
                    self.expand.push((item.name.to_owned(), Wish::item(&item, depth - 1)?));
                }
            }
            "$count" => self.count = value == "true",
            "$expand" | "$top" | "$orderby" | "LabelLanguages" => {
                return Err(Refusal::missing(&format!("{name}={value} on metadata")));
            }
            other => return Err(unknown(other)),
        }
        Ok(())
    }

    /// What the reply's context says of the members that are wanted.
    pub(in crate::sandbox) fn context(&self) -> String {
        let mut parts = self.select.clone().unwrap_or_default();
        parts.extend(self.expand.iter().map(|(name, inner)| match inner.context() {
            text if text.is_empty() => format!("{name}()"),
            text => format!("{name}{text}"),
        }));
        if parts.is_empty() { String::new() } else { format!("({})", parts.join(",")) }
    }

    /// Only lists can be filtered and counted.
    pub(in crate::sandbox) fn of_one(&self) -> Result<(), Refusal> {
        if self.filter.is_some() || self.count {
            return Err(Refusal::missing("$filter or $count on one definition"));
        }
        Ok(())
    }

    pub(in crate::sandbox) fn no_expand(&self) -> Result<(), Refusal> {
        match self.expand.first() {
            Some((name, _)) => Err(Refusal::missing(&format!("$expand={name} on this metadata"))),
            None => Ok(()),
        }
    }

    pub(in crate::sandbox) fn wants(&self, definition: &Value, kind: &str) -> Result<bool, Refusal> {
        self.filter.as_ref().map_or(Ok(true), |filter| filter.holds(definition, kind))
    }

    /// Keeps the selected members, and those that always come.
    pub(in crate::sandbox) fn cut(&self, value: Value, kind: &str) -> Result<Value, Refusal> {
        let (Some(select), Value::Object(mut members)) = (&self.select, value.clone()) else { return Ok(value) };
        if let Some(unknown) = select.iter().find(|name| !members.contains_key(*name)) {
            return Err(unknown_member(unknown, kind));
        }
        let expanded = |name: &str| self.expand.iter().any(|(expanded, _)| expanded == name);
        let always = |name: &str| name.starts_with('@') || name == "MetadataId" || expanded(name);
        members.retain(|name, _| always(name) || select.contains(name));
        Ok(Value::Object(members))
    }
}

/// The refusal of a member that the definitions here do not have: the service may, or may not.
pub(in crate::sandbox) fn unknown_member(name: &str, kind: &str) -> Refusal {
    if LACKING.contains(&name) {
        Refusal::missing(&format!("{kind} member {name}"))
    } else {
        Refusal::property(name, kind)
    }
}

/// Members the service has and the sandbox lacks.
const LACKING: [&str; 97] = [
    "ActivityTypeMask",
    "AutoRouteToOwnerQueue",
    "CanBeInCustomEntityAssociation",
    "CanBeInManyToMany",
    "CanBePrimaryEntityInRelationship",
    "CanBeRelatedEntityInRelationship",
    "CanCreateAttributes",
    "CanCreateCharts",
    "CanCreateForms",
    "CanCreateViews",
    "CanEnableSyncToExternalSearchIndex",
    "CanModifyAdditionalSettings",
    "CanTriggerWorkflow",
    "CreatedOn",
    "DataProviderId",
    "DataSourceId",
    "DaysSinceRecordLastModified",
    "Description",
    "DisplayCollectionName",
    "EnforceStateTransitions",
    "EntityColor",
    "EntityHelpUrl",
    "EntityHelpUrlEnabled",
    "ExternalCollectionName",
    "ExternalName",
    "HasActivities",
    "HasChanged",
    "HasEmailAddresses",
    "HasFeedback",
    "HasNotes",
    "IconLargeName",
    "IconMediumName",
    "IconSmallName",
    "IconVectorName",
    "IntroducedVersion",
    "IsAIRUpdated",
    "IsAuditEnabled",
    "IsAvailableOffline",
    "IsBPFEntity",
    "IsBusinessProcessEnabled",
    "IsChildEntity",
    "IsConnectionsEnabled",
    "IsCustomizable",
    "IsDocumentManagementEnabled",
    "IsDuplicateDetectionEnabled",
    "IsEnabledForCharts",
    "IsEnabledForExternalChannels",
    "IsEnabledForTrace",
    "IsImportable",
    "IsInteractionCentricEnabled",
    "IsKnowledgeManagementEnabled",
    "IsLogicalEntity",
    "IsMailMergeEnabled",
    "IsManaged",
    "IsMappable",
    "IsOfflineInMobileClient",
    "IsQuickCreateEnabled",
    "IsReadingPaneEnabled",
    "IsRenameable",
    "IsSLAEnabled",
    "IsStateModelAware",
    "IsValidForAdvancedFind",
    "IsValidForQueue",
    "IsVisibleInMobile",
    "MobileOfflineFilters",
    "ModifiedOn",
    "PrimaryImageAttribute",
    "Privileges",
    "RecurrenceBaseEntityLogicalName",
    "ReportViewName",
    "Settings",
    "SyncToExternalSearchIndex",
    "AutoNumberFormat",
    "CanBeSecuredForCreate",
    "CanBeSecuredForRead",
    "CanBeSecuredForUpdate",
    "ColumnNumber",
    "DeprecatedVersion",
    "InheritsFrom",
    "IsDataSourceSecret",
    "IsFilterable",
    "IsGlobalFilterEnabled",
    "IsRequiredForForm",
    "IsRetrievable",
    "IsSearchable",
    "IsSecured",
    "IsSortableEnabled",
    "IsValidForForm",
    "IsValidForGrid",
    "LinkedAttributeId",
    "SourceType",
    "YomiOf",
    "CascadeConfiguration",
    "AssociatedMenuConfiguration",
    "IsHierarchical",
    "SecurityTypes",
    "RelationshipBehavior",
];
