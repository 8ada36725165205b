//! The files of `tests/law`: articles with their examples, and the registry that examples share.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, time};
use motcua::model::agency::{Agency, AgencyKind, Tier};
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer, Procedure};
use motcua::model::report_form::FormCounts;
use serde::Deserialize;

use super::NOW;
use super::tables::{Row, Rows};

/// One article.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LawFile {
    pub(super) article: String,
    #[serde(rename = "says")]
    _says: String,
    /// For the page of indicators.
    #[serde(default, rename = "question")]
    _question: Option<String>,
    #[serde(default, rename = "means")]
    _means: Option<String>,
    pub(super) example: Vec<Example>,
}

/// A few rows, and what comes out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub(super) about: String,
    #[serde(default)]
    dossiers: Vec<Row>,
    #[serde(default)]
    postal_items: Vec<Row>,
    #[serde(default)]
    feedback: Vec<Row>,
    #[serde(default)]
    measures: Vec<Row>,
    #[serde(default)]
    dossier_notes: Vec<Row>,
    #[serde(default)]
    agency: Option<String>,
    #[serde(default)]
    period: Option<String>,
    #[serde(default)]
    now: Option<String>,
    #[serde(default)]
    pub(super) alone: bool,
    /// By rule set and indicator.
    #[serde(default)]
    expect: BTreeMap<String, BTreeMap<String, Vec<u64>>>,
    #[serde(default)]
    also: Vec<Also>,
    #[serde(default)]
    form: Option<BTreeMap<String, toml::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Also {
    rules: String,
    indicator: String,
    counts: Vec<u64>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    period: Option<String>,
    #[serde(default)]
    met: Option<String>,
    #[serde(default)]
    value: Option<f64>,
}

/// A figure that must come out.
pub(super) struct Expected<'a> {
    pub(super) rules: &'a str,
    pub(super) indicator: &'a str,
    /// Code of an agency, or `-` for the province.
    pub(super) scope: String,
    pub(super) period: Period,
    pub(super) counts: &'a [u64],
    pub(super) met: Option<&'a str>,
    pub(super) value: Option<f64>,
}

fn period(text: &str) -> Period {
    Period::parse(text).unwrap_or_else(|| panic!("`{text}` is no period"))
}

impl Example {
    pub(super) fn agency_code(number: usize) -> String {
        format!("VD{number}")
    }

    pub(super) fn now(&self) -> &str {
        self.now.as_deref().unwrap_or(NOW)
    }

    /// The example's own agency.
    pub(super) fn agency(&self, number: usize) -> Agency {
        let kind = self.agency.as_deref().unwrap_or("specialised");
        agency(&Self::agency_code(number), &format!("Cơ quan của ví dụ {number}"), kind, false)
    }

    pub(super) fn rows(&self, number: usize) -> Rows<'_> {
        Rows {
            number,
            dossiers: &self.dossiers,
            postal_items: &self.postal_items,
            feedback: &self.feedback,
            measures: &self.measures,
            dossier_notes: &self.dossier_notes,
        }
    }

    pub(super) fn rule_sets(&self) -> BTreeSet<&str> {
        self.expect.keys().map(String::as_str).chain(self.also.iter().map(|also| also.rules.as_str())).collect()
    }

    /// The indicators that are expected under a rule set.
    pub(super) fn indicators(&self, rules: &str) -> BTreeSet<String> {
        let also = self.also.iter().filter(|also| also.rules == rules).map(|also| also.indicator.clone());
        self.expect.get(rules).into_iter().flat_map(BTreeMap::keys).cloned().chain(also).collect()
    }

    pub(super) fn expected(&self, number: usize) -> Vec<Expected<'_>> {
        let usual = || period(self.period.as_deref().unwrap_or("2025"));
        let plain = self.expect.iter().flat_map(|(rules, figures)| {
            figures.iter().map(move |(indicator, counts)| Expected {
                rules,
                indicator,
                scope: Self::agency_code(number),
                period: usual(),
                counts,
                met: None,
                value: None,
            })
        });
        let also = self.also.iter().map(|also| Expected {
            rules: &also.rules,
            indicator: &also.indicator,
            scope: also.scope.clone().unwrap_or_else(|| Self::agency_code(number)),
            period: also.period.as_deref().map_or_else(usual, period),
            counts: &also.counts,
            met: also.met.as_deref(),
            value: also.value,
        });
        plain.chain(also).collect()
    }

    /// Period and cells of form II.06a by column.
    pub(super) fn form_cells(&self) -> Option<(Period, BTreeMap<u32, u64>)> {
        let form = self.form.as_ref()?;
        let cells = form.iter().filter(|(key, _)| *key != "period").map(|(column, cell)| {
            let cell = cell.as_integer().and_then(|cell| u64::try_from(cell).ok()).expect("a cell is a count");
            (column.parse().expect("a cell is named by the number of its column"), cell)
        });
        let named = form.get("period").and_then(toml::Value::as_str).expect("a form has a period");
        Some((period(named), cells.filter(|(_, cell)| *cell > 0).collect()))
    }
}

/// Cells of form II.06a by column, without those that are 0.
pub(super) fn cells_of(counts: &FormCounts) -> BTreeMap<u32, u64> {
    use motcua::model::report_form::FormCount as Count;
    let columns = [
        (3, Count::Received),
        (4, Count::Online),
        (5, Count::CounterAndPost),
        (6, Count::CarriedOver),
        (7, Count::Resolved),
        (8, Count::Early),
        (9, Count::OnTime),
        (10, Count::Late),
        (11, Count::Pending),
        (12, Count::PendingInTime),
        (13, Count::PendingOverdue),
    ];
    columns.into_iter().map(|(column, count)| (column, counts.get(count))).filter(|(_, cell)| *cell > 0).collect()
}

/// `tests/law/registry.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registry {
    procedure: Vec<ProcedureRow>,
    offer: Vec<OfferRow>,
    agency: Vec<AgencyRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcedureRow {
    code: String,
    about: String,
    #[serde(default)]
    statutory_time: Option<u32>,
    unit: String,
    #[serde(default)]
    immediate: bool,
    #[serde(default)]
    vertical: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferRow {
    procedure: String,
    offered_by: String,
    #[serde(default)]
    online_level: Option<String>,
    #[serde(default)]
    postal_submission: bool,
    #[serde(default)]
    postal_return: bool,
    #[serde(default)]
    interlinked: Option<String>,
    #[serde(default)]
    group_code: Option<String>,
    #[serde(default)]
    valid_from: Option<Date>,
    #[serde(default)]
    valid_to: Option<Date>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyRow {
    code: String,
    name: String,
    kind: String,
    #[serde(default)]
    vertical: bool,
}

fn agency(code: &str, name: &str, kind: &str, vertical: bool) -> Agency {
    let kind: AgencyKind = kind.parse().unwrap_or_else(|_| panic!("`{kind}` is no kind of agency"));
    Agency {
        code: code.to_owned(),
        other_codes: Vec::new(),
        name: name.to_owned(),
        aliases: Vec::new(),
        kind,
        tier: match kind {
            AgencyKind::District => Tier::District,
            AgencyKind::Commune => Tier::Commune,
            _ => Tier::Province,
        },
        vertical,
        parent: None,
        valid_from: None,
        valid_to: None,
    }
}

impl Registry {
    pub(super) fn agencies(&self) -> Vec<Agency> {
        self.agency.iter().map(|row| agency(&row.code, &row.name, &row.kind, row.vertical)).collect()
    }

    pub(super) fn procedures(&self) -> Vec<Procedure> {
        let procedure = |row: &ProcedureRow| Procedure {
            code: row.code.clone(),
            name: row.about.clone(),
            sector: "S".to_owned(),
            statutory_time: row.statutory_time,
            unit: row.unit.parse().unwrap_or_else(|_| panic!("`{}` is no unit", row.unit)),
            cut_off: time(15, 0, 0, 0),
            immediate: row.immediate,
            certification: false,
            vertical: row.vertical,
            valid_from: None,
            valid_to: None,
        };
        self.procedure.iter().map(procedure).collect()
    }

    pub(super) fn offers(&self) -> Vec<Offer> {
        let offerer = |text: &str| match text.strip_prefix("tier:") {
            Some(tier) => Offerer::Tier(tier.parse().unwrap_or_else(|_| panic!("`{tier}` is no tier"))),
            None => Offerer::Agency(text.to_owned()),
        };
        let offer = |row: &OfferRow| Offer {
            procedure: row.procedure.clone(),
            offerer: offerer(&row.offered_by),
            role: Some("lead".to_owned()),
            at_one_stop: true,
            one_stop_exempt: false,
            list_1291: false,
            online_level: row.online_level.clone(),
            postal_submission: row.postal_submission,
            postal_return: row.postal_return,
            interlinked: row.interlinked.clone(),
            group_code: row.group_code.clone(),
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        };
        self.offer.iter().map(offer).collect()
    }
}
