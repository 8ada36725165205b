//! What `explain` counts and lists behind figures over procedures, agencies, feedback and measures is the published figure, for
//! random provinces; and a small table worked by hand.

use motcua::indicators::{DossierPage, FigureOf, Side, compute, explain_units, unexplained};
use motcua::model::figure::Figure;
use motcua::model::list::ListCell;
use motcua::model::period::Period;
use proptest::test_runner::TestCaseError;
use strum::IntoEnumIterator as _;

use super::province::{self, Dossier, Feedback, Measure, at};
use super::random::{province_of, rows, runner};
use super::{NOW, with_inputs};

/// Feedback and measures with the dates of dossiers.
fn beside(dossiers: &[Dossier], period: &str) -> (Vec<Feedback>, Vec<Measure>) {
    let feedback = dossiers.iter().enumerate().map(|(number, dossier)| Feedback {
        subject: [Some("regulation"), Some("conduct"), None][number % 3].map(str::to_owned),
        agency: dossier.competent.clone(),
        received: dossier.received,
        due: dossier.due,
        handled: dossier.completed,
        outcome: (number % 4 == 0).then(|| "handled".to_owned()),
        answered: dossier.returned,
        published: dossier.returned.filter(|_| number % 2 == 0),
        deleted: dossier.deleted,
    });
    let measures = dossiers.iter().enumerate().map(|(number, dossier)| {
        let counts = [i64::try_from(number).ok(), i64::try_from(number + 5).ok()];
        Measure {
            indicator: Some(["par-7.1.2", "sipas-1", "par-3.2.2"][number % 3].to_owned()),
            // The province's own measure of one indicator only.
            agency: if number % 12 == 1 { Some("Toàn tỉnh".to_owned()) } else { dossier.competent.clone() },
            period: Some(if number % 5 == 0 { "2024" } else { period }.to_owned()),
            counts,
            entered: dossier.received,
            deleted: dossier.deleted,
        }
    });
    (feedback.collect(), measures.collect())
}

fn figure_of(figure: &Figure) -> FigureOf {
    match (&figure.agency, figure.tier) {
        (Some(code), _) => FigureOf::Agency(code.to_string()),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    }
}

#[test]
fn what_is_counted_beside_dossiers_is_the_figure() {
    let periods = proptest::sample::select(vec!["2025-05", "2025-Q3s", "2025", "2026-H1"]);
    // A build for debugging plans a few figures a second: each table explains a part of the indicators.
    let check = runner(4).run(&((rows(40, 90), rows(0, 40)), periods, 0_usize..6), |(tables, text, part)| {
        let (dossiers, items) = province_of(&tables.0, &tables.1);
        let (feedback, measures) = beside(&dossiers, text);
        let [dossiers, items, _, _, notes] = province::tables(&dossiers, &items);
        let tables = [dossiers, items, province::feedback_table(&feedback), province::measures_table(&measures), notes];
        let period = Period::parse(text).expect("a period");
        let inputs = (province::offers(), tables, at(NOW), Some(period), None);
        let differences = with_inputs(
            inputs,
            |_, _| {},
            move |inputs| {
                let figures = compute(&inputs).expect("the shipped indicators compute");
                let (mut differences, mut explained) = (Vec::new(), 0);
                let units = inputs.indicators.iter().filter(|(definition, _)| unexplained(definition).is_some());
                let units = units.enumerate().filter(|(number, (definition, _))| {
                    // Those of feedback and the measures that are stated in every table.
                    let is_few = definition.id.starts_with("par-3.5.") || definition.id == "sipas-1";
                    is_few || number % 6 == part
                });
                for (_, (definition, _)) in units {
                    let rules = inputs.rules.iter().find(|rules| rules.id == definition.rules).expect("it is shipped");
                    let published = figures.iter().filter(|figure| *figure.indicator == *definition.id);
                    // The province, a tier and an agency: the first, one in the middle and the last.
                    let published: Vec<&Figure> = published.collect();
                    let chosen = [0, published.len() / 3, published.len().saturating_sub(1)];
                    for figure in chosen.into_iter().filter_map(|at| published.get(at)) {
                        let of = figure_of(figure);
                        let page = |side| DossierPage { side, offset: 0, limit: u32::MAX };
                        let first =
                            explain_units(&inputs, (definition, rules), period, &of, Some(page(Side::InNumerator)));
                        let first = first.expect("it is explained");
                        explained += 1;
                        if let Some(difference) = first.difference(figure) {
                            differences.push(format!("{} {of:?}: {difference:?}", definition.id));
                        }
                        if first.rows.len() as u64 != first.explanation.count(Side::InNumerator) {
                            differences.push(format!("{} {of:?}: {} listed", definition.id, first.rows.len()));
                        }
                        if definition.id.starts_with("par-3.5.") {
                            for side in Side::iter() {
                                let of_side =
                                    explain_units(&inputs, (definition, rules), period, &of, Some(page(side)))
                                        .expect("it is explained");
                                if of_side.rows.len() as u64 != first.explanation.count(side) {
                                    differences.push(format!("{} {side:?}: {}", definition.id, of_side.rows.len()));
                                }
                            }
                        }
                    }
                }
                assert!(explained > 5, "{explained} figures explained");
                differences
            },
        );
        differences
            .into_iter()
            .next()
            .map_or(Ok(()), |difference| Err(TestCaseError::fail(format!("{text}: {difference}"))))
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}

/// A row by the names of its columns, those that are asked for.
fn cells(found: &motcua::indicators::ExplainedUnits, row: usize, names: &[&str]) -> Vec<String> {
    let place = |name: &&str| found.columns.iter().position(|column| column.name == *name).expect("a column");
    names.iter().map(|name| found.rows[row][place(name)].to_csv()).collect()
}

#[test]
fn rows_say_what_is_counted_and_what_is_not() {
    let measure = |agency: &str, counts: [i64; 2], entered: &str| Measure {
        indicator: Some("sipas-1".to_owned()),
        agency: Some(agency.to_owned()),
        period: Some("2025".to_owned()),
        counts: counts.map(Some),
        entered: Some(at(entered)),
        ..Measure::default()
    };
    let measures = [
        measure("S1", [70, 100], "2026-01-05T08:00"),
        measure("S1", [71, 100], "2026-01-06T08:00"),
        measure("S3", [8, 10], "2026-01-05T08:00"),
        measure("Toàn tỉnh", [830, 1000], "2026-01-05T08:00"),
    ];
    let feedback = [
        Feedback {
            subject: Some("regulation".to_owned()),
            agency: Some("S1".to_owned()),
            received: Some(at("2025-05-05T08:00")),
            handled: Some(at("2025-05-09T10:00")),
            ..Feedback::default()
        },
        Feedback {
            subject: Some("conduct".to_owned()),
            agency: Some("S1".to_owned()),
            received: Some(at("2025-05-06T08:00")),
            ..Feedback::default()
        },
    ];
    let dossier = Dossier {
        code: Some("H-1".to_owned()),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        received: Some(at("2025-05-07T10:00")),
        ..Dossier::default()
    };
    let [dossiers, items, _, _, notes] = province::tables(&[dossier], &[]);
    let tables = [dossiers, items, province::feedback_table(&feedback), province::measures_table(&measures), notes];
    let year = Period::parse("2025").expect("a period");
    with_inputs(
        (province::offers(), tables, at(NOW), Some(year), None),
        |_, _| {},
        move |inputs| {
            let explained = |id: &str, of: FigureOf, side| {
                let (definition, _) = inputs.indicators.iter().find(|(one, _)| one.id == id).expect("it is shipped");
                let rules = inputs.rules.iter().find(|rules| rules.id == definition.rules).expect("it is shipped");
                let page = DossierPage { side, offset: 0, limit: u32::MAX };
                explain_units(&inputs, (definition, rules), year, &of, Some(page)).expect("it is explained")
            };
            // The province's own measure counts; those of agencies do not, nor what was entered again.
            let province = explained("sipas-1", FigureOf::Province, Side::InNumerator);
            assert_eq!((province.stated, province.explanation.counts), (Some([830, 1000]), [1, 0, 0, 0, 3]));
            let excluded = explained("sipas-1", FigureOf::Province, Side::Excluded);
            let names = ["agency", "numerator", "excluded_by"];
            let mut why: Vec<_> = (0..3).map(|row| cells(&excluded, row, &names)).collect();
            why.sort();
            let expected = [
                ["S1", "70", "đã nhập lại sau đó"],
                ["S1", "71", "tỉnh có số liệu riêng"],
                ["S3", "8", "tỉnh có số liệu riêng"],
            ];
            assert_eq!(why, expected);
            let agency = explained("sipas-1", FigureOf::Agency("S1".to_owned()), Side::InNumerator);
            assert_eq!((agency.stated, agency.explanation.counts), (Some([71, 100]), [1, 0, 0, 0, 1]));
            assert_eq!(cells(&agency, 0, &["agency_name", "entered_at"]), ["Sở mẫu A", "2026-01-06T08:00:00+07:00"]);
            // Of two pieces of feedback one is handled.
            let feedback = explained("par-3.5.1", FigureOf::Agency("S1".to_owned()), Side::NotInNumerator);
            assert_eq!(feedback.explanation.counts[..2], [1, 1]);
            assert_eq!(cells(&feedback, 0, &["agency", "subject", "handled_at"]), ["S1", "conduct", ""]);
            // Agencies by their latest dossier; procedures by the registry.
            let connected = explained("par-7.1.4", FigureOf::Province, Side::NotInNumerator);
            assert!(connected.rows.iter().any(|row| row[0] == ListCell::text("S1")), "{connected:?}");
            let listed = explained("par-3.3.3", FigureOf::Province, Side::InNumerator);
            let counted = &listed.explanation.counts;
            assert_eq!(counted[0], listed.rows.len() as u64);
            assert!(counted[0] + counted[1] > 0, "procedures are on offer: {counted:?}");
        },
    );
}
