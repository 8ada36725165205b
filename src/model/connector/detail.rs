//! `[detail]` of a connector: a further request for each record of a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::connector::auth::ReplyValues;
use crate::model::connector::web::RequestTemplate;

/// `[detail]`: a request for each record of the list. Paths of `[map]` that begin with `detail.` read its response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The request. Placeholders: `{record.PATH} {session} {env:NAME} {secret:NAME}`; `PATH` is a path that `[map]` reads.
    pub request: RequestTemplate,
    /// Path of the record in the response, as `decode.records`; empty if the response is the record.
    #[serde(default)]
    pub record: String,
    #[serde(default)]
    pub missing: MissingDetail,
    /// Reply code of a response that has no details although its status is 200: it counts as one with status 404.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found: Option<ReplyValues>,
}

/// What happens to a record that has no details: a response with status 204, 404 or 410, with a code of `not_found`, or without
/// an object at the path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingDetail {
    /// The row goes to quarantine.
    #[default]
    RejectRow,
    /// The record counts without them.
    Accept,
    /// The record is deleted: the list still has it, and the source no longer does.
    Delete,
    /// The pull fails.
    Stop,
}

/// The part of a path below the details of a record; `None` for a path that reads the list.
#[must_use]
pub fn path_in_detail(path: &str) -> Option<&str> {
    path.strip_prefix("detail.").or_else(|| path.strip_prefix("detail").filter(|rest| rest.starts_with('[')))
}
