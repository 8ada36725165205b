//! Compares computed figures with an independent reference, in two ways: small tables that were worked by hand
//! ([`by_hand`], one for each letter of rule set `seed-2639` and more), and random tables whose figures the plain
//! [`loops`] compute too.

mod bounds;
mod by_hand;
mod dossier_sources;
mod explain;
mod explain_units;
mod feedback;
mod integrity;
mod law;
mod loops;
mod measures;
mod notes;
mod province;
mod random;
mod reconcile;
mod scripts;
mod worklists;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use motcua::calendar::WorkingCalendar;
use motcua::config::Configuration;
use motcua::indicators::{FigureInputs, FormScope, compute};
use motcua::model::agency::{Agency, Succession, Tier};
use motcua::model::figure::Figure;
use motcua::model::indicator::{IndicatorDefinition, PeriodColumn};
use motcua::model::period::Period;
use motcua::model::procedure::Offer;
use motcua::model::report_form::FormCounts;
use motcua::model::rules::{AgencyView, DueChoice, RuleSet};
use polars::prelude::LazyFrame;
use proptest::test_runner::TestCaseError;

use loops::{FigureCounts, FigureKey, ShippedRules};
use province::{Dossier, Item, at};
use random::{province_of, rows, runner};

/// The shipped configuration. It is read once: some tests compute figures hundreds of times.
static SHIPPED: LazyLock<Configuration> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
    motcua::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"))
});

/// The figures of every shipped indicator, by its own rule set, for all named periods.
fn computed(dossiers: &[Dossier], items: &[Item], now: i64) -> Vec<Figure> {
    computed_by(dossiers, items, now, None, None)
}

/// The same for one `period`, if given, and with every indicator under one rule set and view, if `rules_and_view` is
/// given.
fn computed_by(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    rules_and_view: Option<(ShippedRules, AgencyView)>,
    period: Option<Period>,
) -> Vec<Figure> {
    computed_with_successions(dossiers, items, now, rules_and_view, period, None)
}

/// The same, with dossiers attributed to today's successors of agencies, if `successions` are given.
fn computed_with_successions(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    rules_and_view: Option<(ShippedRules, AgencyView)>,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    let tables = province::tables(dossiers, items);
    computed_from_tables(tables, now, rules_and_view, period, successions)
}

/// The figures of one shipped indicator. They do not depend on which others are computed, and all take many times as long.
fn computed_alone(dossiers: &[Dossier], items: &[Item], indicator: &'static str) -> Vec<Figure> {
    let tables = province::tables(dossiers, items);
    let adapt =
        move |definitions: &mut [IndicatorDefinition], _: &mut [RuleSet]| leave_out_others(definitions, indicator);
    computed_with_definitions(tables, at(NOW), adapt, None, None)
}

/// The same, with another choice of the due date in every rule set.
fn computed_with_due(dossiers: &[Dossier], due: DueChoice, indicator: &'static str) -> Vec<Figure> {
    let tables = province::tables(dossiers, &[]);
    let adapt = move |definitions: &mut [IndicatorDefinition], rules: &mut [RuleSet]| {
        leave_out_others(definitions, indicator);
        for rules in rules {
            rules.due = due;
        }
    };
    computed_with_definitions(tables, at(NOW), adapt, None, None)
}

/// Takes every other indicator out of its rule set, so that it is not computed.
fn leave_out_others(definitions: &mut [IndicatorDefinition], indicator: &str) {
    assert!(definitions.iter().any(|definition| definition.id == indicator), "`{indicator}` is shipped");
    for definition in definitions.iter_mut().filter(|definition| definition.id != indicator) {
        definition.rules = String::new();
    }
}

/// The figures of the five tables: dossiers, postal items, feedback, measures, notes.
fn computed_from_tables(
    tables: [LazyFrame; 5],
    now: i64,
    rules_and_view: Option<(ShippedRules, AgencyView)>,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    let adapt = move |definitions: &mut [IndicatorDefinition], rules: &mut [RuleSet]| {
        let Some((shipped, view)) = rules_and_view else { return };
        for definition in definitions {
            shipped.name().clone_into(&mut definition.rules);
        }
        for rules in rules {
            rules.agency = view;
        }
    };
    computed_with_definitions(tables, now, adapt, period, successions)
}

/// The same; `adapt` first changes the shipped definitions and rule sets.
fn computed_with_definitions(
    tables: [LazyFrame; 5],
    now: i64,
    adapt: impl FnOnce(&mut [IndicatorDefinition], &mut [RuleSet]) + Send + 'static,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    computed_with_offers(province::offers(), tables, now, adapt, period, successions)
}

/// The same, with other offers than the province's.
fn computed_with_offers(
    offers: Vec<Offer>,
    tables: [LazyFrame; 5],
    now: i64,
    adapt: impl FnOnce(&mut [IndicatorDefinition], &mut [RuleSet]) + Send + 'static,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    let inputs = (offers, tables, now, period, successions);
    let figures = with_inputs(inputs, adapt, |inputs| compute(&inputs));
    figures.expect("the shipped indicators compute")
}

/// Offers, tables, the night's moment, the only period, and successions.
type TestInputs = (Vec<Offer>, [LazyFrame; 5], i64, Option<Period>, Option<Vec<Succession>>);

/// Does something with the inputs of a computation, on a thread with a large stack, because Polars built for debugging walks
/// deep plans by recursion.
fn with_inputs<T: Send + 'static>(
    (offers, [dossiers, postal_items, feedback, measures, dossier_notes], now, period, successions): TestInputs,
    adapt: impl FnOnce(&mut [IndicatorDefinition], &mut [RuleSet]) + Send + 'static,
    act: impl FnOnce(FigureInputs<'_>) -> T + Send + 'static,
) -> T {
    let work = move || {
        let config = &*SHIPPED;
        let mut definitions: Vec<IndicatorDefinition> =
            config.indicators.iter().map(|one| one.definition.clone()).collect();
        let mut rules: Vec<RuleSet> = config.rules.values().cloned().collect();
        adapt(&mut definitions, &mut rules);
        let indicators: Vec<_> = definitions.iter().map(|definition| (definition, "")).collect();
        act(FigureInputs {
            dossiers,
            dossier_groups: motcua::lake::Lake::no_groups(),
            postal_items,
            feedback,
            measures,
            dossier_notes,
            indicators: &indicators,
            rules: &rules.iter().collect::<Vec<_>>(),
            agencies: &province::agencies(),
            agency_names: &motcua::indicators::AgencyNames::default(),
            procedures: &province::procedures(),
            offers: &offers,
            calendar: &WorkingCalendar::new(&province::calendar()),
            now,
            successions: successions.as_deref(),
            period,
        })
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
    thread.join().expect("the computation ends")
}

fn key(figure: &Figure) -> FigureKey {
    (figure.indicator.to_string(), figure.tier, figure.agency.as_deref().map(str::to_owned), figure.period)
}

fn counts(figure: &Figure) -> FigureCounts {
    FigureCounts {
        numerator: figure.numerator,
        // A count has no denominator.
        denominator: figure.denominator.unwrap_or(0),
        reachable: figure.reachable,
        one_sided: figure.one_sided.unwrap_or(0),
        unknown: figure.unknown.expect("it is counted"),
        undecided: figure.undecided.expect("it is counted"),
    }
}

/// Indicators for which every registered agency has figures, also without dossiers.
const REGISTRY_INDICATORS: [&str; 8] = [
    "par-3.3.1",
    "par-3.3.2",
    "par-3.3.3",
    "par-3.3.4",
    "par-7.1.4",
    "par-7.1.4-without-procedures",
    "par-7.2.1",
    "par-7.3.1",
];

const NOW: &str = "2026-03-20T01:30";

#[test]
fn random_tables_give_the_figures_of_the_loops() {
    let tables = (rows(40, 150), rows(0, 60));
    // Every rule set, and every view.
    let rules_and_views = proptest::sample::select(vec![
        (ShippedRules::Seed2639, AgencyView::Competent),
        (ShippedRules::Form06a, AgencyView::Competent),
        (ShippedRules::Qd766, AgencyView::Competent),
        (ShippedRules::Seed2639, AgencyView::Receiving),
        (ShippedRules::Form06a, AgencyView::Handling),
    ]);
    let check = runner(24).run(&(tables, rules_and_views), |((dossiers, items), (rules, view))| {
        let (dossiers, items) = province_of(&dossiers, &items);
        compare_with_loops(&dossiers, &items, at(NOW), rules, view).map_err(TestCaseError::fail)
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}

/// A period that is computed alone has the same figures as among all named periods.
#[test]
fn a_period_alone_has_the_figures_that_it_has_among_all() {
    let tables = (rows(40, 120), rows(0, 60));
    let periods = proptest::sample::select(vec!["2025-05", "2025-Q3s", "2025-9Ms", "2026-H1", "2025s"]);
    let choice = (periods, proptest::sample::select(ShippedRules::ALL.to_vec()));
    let check = runner(8).run(&(tables, choice), |((dossiers, items), (period, rules))| {
        let (dossiers, items) = province_of(&dossiers, &items);
        let period = Period::parse(period).expect("a period");
        let by = Some((rules, AgencyView::Competent));
        let of = |figures: Vec<Figure>| -> BTreeMap<FigureKey, FigureCounts> {
            let counted = figures
                .iter()
                .filter(|figure| figure.period == period && (figure.denominator != Some(0) || figure.numerator > 0));
            counted.map(|figure| (key(figure), counts(figure))).collect()
        };
        let alone = of(computed_by(&dossiers, &items, at(NOW), by, Some(period)));
        let among_all = of(computed_by(&dossiers, &items, at(NOW), by, None));
        let keys: BTreeSet<&FigureKey> = alone.keys().chain(among_all.keys()).collect();
        match keys.into_iter().find(|key| alone.get(key) != among_all.get(key)) {
            None => Ok(()),
            Some(key) => Err(TestCaseError::fail(format!(
                "{rules:?} {key:?}: {:?} alone, {:?} among all",
                alone.get(key),
                among_all.get(key)
            ))),
        }
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}

/// Form II.06a for an agency, a tier and the province, in a month, a quarter, a statutory quarter and a half-year: its
/// cells equal those of the loops, and its identities (3 = 7 + 11 and others) are true in every row.
#[test]
fn form_cells_equal_those_of_the_loops_and_the_identities_are_true() {
    let periods = proptest::sample::select(vec!["2025-05", "2025-Q3", "2025-Q3s", "2026-H1"]);
    let scopes = proptest::sample::select(vec![
        FormScope::Province,
        FormScope::Tier(Tier::Commune),
        FormScope::Agency("S1".to_owned()),
        FormScope::Agency("S2".to_owned()),
    ]);
    let check = runner(12).run(&(rows(40, 150), periods, scopes), |(dossiers, period, scope)| {
        let (dossiers, _) = province_of(&dossiers, &[]);
        let period = Period::parse(period).expect("a period");
        let counts = |agency: Option<&Agency>, own: &str| match &scope {
            FormScope::Province => !agency.is_some_and(|agency| agency.vertical),
            FormScope::Tier(tier) => agency.is_some_and(|agency| !agency.vertical && agency.tier == *tier),
            FormScope::Agency(code) => agency.map_or(own, |agency| &agency.code) == code,
        };
        let expected = loops::form_cells(&dossiers, at(NOW), period, counts);
        let mut found = BTreeMap::new();
        for (sector, cells) in form(&dossiers, period, scope.clone()) {
            cells.check(&sector).map_err(|broken| TestCaseError::fail(broken.to_string()))?;
            let ended = [cells.early, cells.on_time, cells.late, cells.pending_in_time, cells.pending_overdue];
            let [early, on_time, late, in_time, overdue] = ended;
            let new = [cells.online, cells.counter_and_post, cells.carried_over];
            found.insert(sector, [new[0], new[1], new[2], early, on_time, late, in_time, overdue]);
        }
        if found == expected { Ok(()) } else { Err(TestCaseError::fail(format!("{found:?} is not {expected:?}"))) }
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}

fn form(dossiers: &[Dossier], period: Period, scope: FormScope) -> BTreeMap<String, FormCounts> {
    let (dossiers, items) = (province::dossiers_table(dossiers), province::items_table(&[]));
    let work = move || {
        let inputs = FigureInputs {
            dossiers,
            dossier_groups: motcua::lake::Lake::no_groups(),
            postal_items: items,
            feedback: province::feedback_table(&[]),
            measures: province::measures_table(&[]),
            dossier_notes: province::notes_table(&[]),
            indicators: &[],
            rules: &[],
            agencies: &province::agencies(),
            agency_names: &motcua::indicators::AgencyNames::default(),
            procedures: &province::procedures(),
            offers: &province::offers(),
            calendar: &WorkingCalendar::new(&province::calendar()),
            now: at(NOW),
            successions: None,
            period: None,
        };
        motcua::indicators::form_counts(&inputs, &SHIPPED.rules["form-06a"], period, &scope)
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
    thread.join().expect("the computation ends").expect("the form computes")
}

/// Compares the computed figures with those of the loops; the error describes the first that differs.
fn compare_with_loops(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    rules: ShippedRules,
    view: AgencyView,
) -> Result<(), String> {
    let mut expected = loops::figures(dossiers, items, now, rules, view);
    let mut found: BTreeMap<FigureKey, FigureCounts> = BTreeMap::new();
    for figure in computed_by(dossiers, items, now, Some((rules, view)), None) {
        if found.insert(key(&figure), counts(&figure)).is_some() {
            return Err(format!("{:?} was computed twice", key(&figure)));
        }
    }
    for (key, counts) in found {
        // Periods without dossiers between two periods with dossiers have figures of 0, which the loops leave out.
        let expected = expected.remove(&key).unwrap_or_default();
        if counts != expected {
            return Err(format!("{rules:?} {view:?} {key:?}: {counts:?}, the loops count {expected:?}"));
        }
    }
    expected.into_iter().next().map_or(Ok(()), |missing| Err(format!("{rules:?}: no figure for {missing:?}")))
}

/// A figure does not depend on which others are computed with it: the periods with dossiers are found for each alone.
#[test]
fn an_indicator_alone_has_the_figures_that_it_has_among_all() {
    let dossiers = [Dossier {
        code: Some("H-1".to_owned()),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        channel: Some("counter".to_owned()),
        received: Some(at("2025-05-05T08:00")),
        returned: Some(at("2025-08-05T08:00")),
        ..Dossier::default()
    }];
    let figures_of = |id: &'static str, by_return: bool, is_alone: bool, period: Option<Period>| {
        let adapt = move |definitions: &mut [IndicatorDefinition], _: &mut [RuleSet]| {
            if is_alone {
                leave_out_others(definitions, id);
            }
            for definition in definitions.iter_mut().filter(|definition| definition.id == id && by_return) {
                definition.period = PeriodColumn::ReturnedAt;
            }
        };
        let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
        let notes = province::notes_table(&[]);
        let tables = [province::dossiers_table(&dossiers), province::items_table(&[]), feedback, measures, notes];
        computed_with_definitions(tables, at(NOW), adapt, period, None)
    };
    let of_indicator = |figures: &[Figure], id: &str| -> BTreeMap<FigureKey, FigureCounts> {
        let of_indicator = figures.iter().filter(|figure| *figure.indicator == *id);
        of_indicator.map(|figure| (key(figure), counts(figure))).collect()
    };
    for period in [None, Period::parse("2025-05")] {
        // All as they are shipped: computed once.
        let shipped = figures_of("par-7.2.1", false, false, period);
        for (id, by_return) in [
            ("par-7.2.1", false),
            ("par-7.2.1", true),
            ("par-7.1.4", false),
            ("par-3.3.1", false),
            ("par-3.4.1", false),
        ] {
            let alone = of_indicator(&figures_of(id, by_return, true, period), id);
            let among_all = if by_return {
                of_indicator(&figures_of(id, by_return, false, period), id)
            } else {
                of_indicator(&shipped, id)
            };
            assert!(!among_all.is_empty(), "{id} has figures");
            assert!(
                alone == among_all,
                "{id}, by return {by_return}, {period:?}: {} and {}",
                alone.len(),
                among_all.len()
            );
        }
    }
}

#[test]
fn the_loops_compute_every_shipped_indicator() {
    let received = Some(at("2025-05-05T08:00"));
    let postal = |competent: &str, procedure: &str| Dossier {
        code: Some(competent.to_owned()),
        competent: Some(competent.to_owned()),
        procedure: Some(procedure.to_owned()),
        channel: Some("postal".to_owned()),
        returned_by: Some("postal".to_owned()),
        received,
        returned: received,
        completed: received,
        ..Dossier::default()
    };
    // One is overdue, so that the indicator of apologies has a figure.
    let overdue =
        Dossier { due: Some(at("2025-05-08T17:00")), completed: None, returned: None, ..postal("S1", "1.000001") };
    let open = Dossier { due: Some(at("2026-05-08T17:00")), ..overdue.clone() };
    let dossiers = [overdue, open, postal("S1", "1.000001"), postal("D1", "1.000001"), postal("X3", "1.000002")];
    let by_loops: BTreeSet<String> =
        loops::figures(&dossiers, &[], at(NOW), ShippedRules::Seed2639, AgencyView::Competent)
            .into_keys()
            .map(|(indicator, ..)| indicator)
            .collect();
    let computed: BTreeSet<String> =
        computed(&dossiers, &[], at(NOW)).into_iter().map(|figure| figure.indicator.to_string()).collect();
    assert_eq!(by_loops, computed);
}
