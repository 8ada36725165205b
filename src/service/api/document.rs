//! The OpenAPI document: collected from the handlers, with the values that the configuration allows.

use serde_json::{Value, json};
use strum::{IntoEnumIterator as _, VariantNames as _};
use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::config::Configuration;
use crate::indicators::{PostDirection, ReconcileClass, SILENT, Side, worklists};
use crate::model::agency::Tier;
use crate::model::period::PeriodKind;
use crate::service::api::differences::DifferenceList;
use crate::service::api::figure_filter::FigureScope;
use crate::service::api::formats::FigureFormat;
use crate::service::api::list_answers::ListFormat;
use crate::service::problem::Problem;

/// Pattern of a period, for the years 1990 to 2099.
const PERIOD_PATTERN: &str = "^(199[0-9]|20[0-9]{2})(-(Q[1-4]|H[12]|9M|0[1-9]|1[0-2]))?s?$";

/// General part of the document.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "motcua",
        description = "Figures of a Vietnamese province's one-stop shops, and the health of the connectors that supply their data.\n\n\
            Send a token as `Authorization: Bearer …`; `motcua token create` makes one. Errors are RFC 9457 problems. \
            Instants are RFC 3339 with the offset of the office's zone (`province.zone`), ratios are numbers between 0 and 1, absent values are null.",
        license(name = "MIT OR Apache-2.0"),
    ),
    servers((url = "/api/v1")),
    tags(
        (name = "figures", description = "Figures of the published nights"),
        (name = "dossiers", description = "Dossiers behind the figures. Every read of dossiers is recorded in the access log; a token that is bound to agencies reads theirs only"),
        (name = "connectors", description = "Health of connectors and publications"),
        (name = "runs", description = "Runs and their certificates"),
        (name = "quarantine", description = "Rejected rows"),
    ),
    components(schemas(FigureFormat, FigureScope, ListFormat, DifferenceList, Problem)),
    modifiers(&Security),
)]
pub(super) struct ApiInfo;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let token =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("Scopes: read, operate")).build();
        document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// The document as JSON, with the values that this configuration allows for each parameter.
pub(super) fn with_allowed_values(document: OpenApi, config: &Configuration) -> Value {
    let mut document = serde_json::to_value(document).expect("an OpenAPI document serializes to JSON");
    let one_of = |values: Vec<&str>| json!({ "type": "string", "enum": values });
    let indicators = one_of(config.indicators.iter().map(|indicator| indicator.definition.id.as_str()).collect());
    let connectors = one_of(config.connectors.iter().map(|connector| connector.name.as_str()).collect());
    let rules = one_of(config.rules.keys().map(String::as_str).collect());
    let agencies = one_of(config.registries.agencies.iter().map(|agency| agency.code.as_str()).collect());
    let tiers = one_of(Tier::VARIANTS.to_vec());
    let kinds = one_of(PeriodKind::NAMED.map(PeriodKind::name).to_vec());
    let sides = one_of(Side::iter().map(Side::name).collect());
    let directions = one_of(PostDirection::iter().map(PostDirection::name).collect());
    let classes = one_of(ReconcileClass::iter().map(ReconcileClass::name).collect());
    let lists = one_of(worklists().iter().map(|list| list.name.as_str()).chain([SILENT]).collect());
    let period = json!({ "type": "string", "pattern": PERIOD_PATTERN });
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        for operation in operations.as_object_mut().into_iter().flat_map(|operations| operations.values_mut()) {
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                let schema = match name {
                    "indicator" if path == "/figures" => json!({ "type": "array", "items": indicators }),
                    "indicator" => indicators.clone(),
                    "connector" => connectors.clone(),
                    "rules" => rules.clone(),
                    "agency" => agencies.clone(),
                    "tier" => tiers.clone(),
                    "by" => kinds.clone(),
                    "period" => period.clone(),
                    "side" => sides.clone(),
                    "direction" => directions.clone(),
                    "class" => classes.clone(),
                    "name" => lists.clone(),
                    _ => continue,
                };
                parameter["schema"] = schema;
            }
        }
    }
    let body = &mut document["components"]["schemas"]["RunOrder"]["properties"]["connectors"];
    body["items"] = connectors;
    document
}

/// One operation, for the page `/api`.
#[derive(Debug)]
pub(in crate::service) struct Operation {
    pub(in crate::service) method: String,
    pub(in crate::service) path: String,
    pub(in crate::service) summary: String,
    pub(in crate::service) description: String,
    /// Token scope that the operation needs.
    pub(in crate::service) scope: &'static str,
    /// Name, location (`query`, `path`), description.
    pub(in crate::service) parameters: Vec<(String, String, String)>,
    /// Status and description.
    pub(in crate::service) answers: Vec<(String, String)>,
}

/// Every operation, in the order of the paths.
pub(in crate::service) fn operations() -> Vec<Operation> {
    let (_, document) = super::routes_and_document();
    let document = serde_json::to_value(document).expect("an OpenAPI document serializes to JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let answers = operation["responses"].as_object().into_iter().flatten();
            let security = operation["security"].to_string();
            let scope = match (security.contains("operate"), security.contains("{}")) {
                (true, _) => "operate",
                (false, true) => "read, or none if figures are public",
                (false, false) => "read",
            };
            all.push(Operation {
                method: method.to_uppercase(),
                path: format!("/api/v1{path}"),
                summary: text(&operation["summary"]),
                description: text(&operation["description"]),
                scope,
                parameters: parameters
                    .map(|parameter| {
                        (text(&parameter["name"]), text(&parameter["in"]), text(&parameter["description"]))
                    })
                    .collect(),
                answers: answers.map(|(status, answer)| (status.clone(), text(&answer["description"]))).collect(),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    /// Clients that were generated from the document depend on the names of its schemas.
    #[test]
    fn schema_names_do_not_follow_the_names_of_types() {
        let (_, document) = super::super::routes_and_document();
        let document = serde_json::to_value(document).expect("an OpenAPI document serializes to JSON");
        let schemas = document["components"]["schemas"].as_object().expect("the document has schemas");
        for name in ["Form", "Scope", "Standing", "RejectedRow", "UnderWayRow", "UndoneRow", "RunOrder", "Ordered"] {
            assert!(schemas.contains_key(name), "`{name}` is not in {:?}", schemas.keys());
        }
    }
}
