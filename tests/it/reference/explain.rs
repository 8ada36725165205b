//! The dossiers that `explain` counts on each side of a figure are the published numbers, for every figure of random
//! provinces; the dossiers that it lists are as many.

use std::collections::BTreeMap;

use motcua::indicators::{
    DOSSIER_COLUMNS, DossierPage, ExplainedFigure, Explanation, FigureOf, Side, compute, unexplained,
};
use motcua::model::figure::Figure;
use motcua::model::indicator::{IndicatorDefinition, IndicatorKind};
use motcua::model::list::ListCell;
use motcua::model::period::Period;
use motcua::model::rules::{AgencyView, RuleSet};
use proptest::test_runner::TestCaseError;

use super::loops::ShippedRules;
use super::province::{self, at};
use super::random::{province_of, rows, runner};
use super::{NOW, with_inputs};

#[test]
fn explained_dossiers_are_the_figures() {
    let periods = proptest::sample::select(vec!["2025-05", "2025-Q3s", "2026-H1", "2025", "2025s"]);
    let views = proptest::sample::select(vec![AgencyView::Competent, AgencyView::Handling]);
    // A build for debugging plans a few figures a second: each table explains a sixth of the indicators.
    let choice = (periods, proptest::sample::select(ShippedRules::ALL.to_vec()), views, 0_usize..6);
    let check = runner(6).run(&((rows(40, 120), rows(0, 60)), choice), |((dossiers, items), choice)| {
        let (period, rules, view, part) = choice;
        let (dossiers, items) = province_of(&dossiers, &items);
        let tables = province::tables(&dossiers, &items);
        let adapt = move |definitions: &mut [IndicatorDefinition], shipped: &mut [RuleSet]| {
            for definition in definitions {
                rules.name().clone_into(&mut definition.rules);
            }
            for rules in shipped {
                rules.agency = view;
            }
        };
        let period = Period::parse(period).expect("a period");
        let inputs = (province::offers(), tables, at(NOW), Some(period), None);
        let differences = with_inputs(inputs, adapt, move |inputs| {
            let figures = compute(&inputs).expect("the shipped indicators compute");
            let mut by_indicator: BTreeMap<&str, Vec<&Figure>> = BTreeMap::new();
            for figure in &figures {
                by_indicator.entry(&figure.indicator).or_default().push(figure);
            }
            let mut differences = Vec::new();
            let explainable = inputs.indicators.iter().filter(|(definition, _)| unexplained(definition).is_none());
            let mut explained = 0;
            for (number, (definition, _)) in explainable.enumerate().filter(|(number, _)| number % 6 == part) {
                let rules = inputs.rules.iter().find(|rules| rules.id == definition.rules).expect("it is shipped");
                let found = ExplainedFigure::new(&inputs, definition, rules, period).expect("it is planned");
                let published = by_indicator.remove(definition.id.as_str()).unwrap_or_default();
                let of: Vec<FigureOf> = published.iter().map(|figure| figure_of(figure)).collect();
                let explanations = found.counts(&of).expect("they are counted");
                for (figure, explanation) in published.iter().zip(&explanations) {
                    explained += 1;
                    differences.extend(difference(definition, figure, explanation));
                }
                if let (Some(one), true) = (of.first(), number < 6) {
                    differences.extend(list_difference(&found, one, &explanations[0]));
                }
            }
            assert!(explained > 10, "{explained} figures explained");
            differences
        });
        differences
            .into_iter()
            .next()
            .map_or(Ok(()), |difference| Err(TestCaseError::fail(format!("{rules:?} {view:?} {period}: {difference}"))))
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}

fn figure_of(figure: &Figure) -> FigureOf {
    match (&figure.agency, figure.tier) {
        (Some(code), _) => FigureOf::Agency(code.to_string()),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    }
}

fn difference(definition: &IndicatorDefinition, figure: &Figure, explanation: &Explanation) -> Option<String> {
    let [numerator, rest, unknown, undecided, excluded] = explanation.counts;
    let whole = numerator + rest + unknown;
    let is_sum = matches!(definition.kind, IndicatorKind::Mean | IndicatorKind::Points | IndicatorKind::Median);
    let found = [numerator, whole, unknown, undecided];
    let published = [
        if is_sum { figure.denominator.expect("it has one") } else { figure.numerator },
        if is_sum { figure.denominator.expect("it has one") + unknown } else { figure.denominator.unwrap_or(whole) },
        figure.unknown.expect("it is counted"),
        figure.undecided.expect("it is counted"),
    ];
    let by_condition: u64 = explanation.exclusions.iter().map(|exclusion| exclusion.dossiers).sum();
    let sums_up = by_condition == excluded;
    (found != published || !sums_up).then(|| {
        format!(
            "{} of {:?} {:?}: {found:?} explained, {published:?} published; {by_condition} of {excluded} excluded have a condition",
            definition.id, figure.tier, figure.agency
        )
    })
}

fn list_difference(found: &ExplainedFigure, of: &FigureOf, explanation: &Explanation) -> Option<String> {
    let days_late = DOSSIER_COLUMNS.iter().position(|column| column.name == "days_late").expect("a column");
    [Side::InNumerator, Side::NotInNumerator, Side::Excluded].into_iter().find_map(|side| {
        let of_side = explanation.count(side);
        let page =
            |offset, limit| found.list(of, DossierPage { side, offset, limit }, of_side).expect("they are listed");
        let all = page(0, u32::MAX);
        let late: Vec<i64> = all
            .iter()
            .map(|row| match row[days_late] {
                ListCell::Number(days) => days,
                _ => 0,
            })
            .collect();
        let is_sorted = late.is_sorted_by(|left, right| left >= right);
        let parts: Vec<_> = [page(0, 2), page(2, u32::MAX), page(u32::MAX, u32::MAX)].concat();
        (all.len() as u64 != explanation.count(side) || !is_sorted || parts != all).then(|| {
            format!("{of:?} {side:?}: {} listed of {}, days late {late:?}", all.len(), explanation.count(side))
        })
    })
}
