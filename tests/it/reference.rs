//! Figures held against an independent reference: small tables worked by hand, a letter of rule set `seed-2639`
//! (domain C.4) each, and random tables through the plain loops of [`loops`].

mod by_hand;
mod feedback;
mod loops;
mod notes;
mod province;
mod stated;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use motcua::calendar::WorkingCalendar;
use motcua::indicators::{FigureInputs, FormScope, compute};
use motcua::model::agency::{Agency, Succession, Tier};
use motcua::model::figure::Figure;
use motcua::model::indicator::Definition;
use motcua::model::period::Period;
use motcua::model::procedure::Offer;
use motcua::model::report_form::FormCounts;
use motcua::model::rules::{AgencyView, DueChoice, RuleSet};
use polars::prelude::LazyFrame;
use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::test_runner::{TestCaseError, TestRunner};

use loops::{Counts, Key, Reading, View};
use province::{Dossier, Item, at};

/// Every figure of the shipped indicators. On a thread of its own: plans are deep, and a debug Polars walks them
/// recursively.
fn computed(dossiers: &[Dossier], items: &[Item], now: i64) -> Vec<Figure> {
    computed_by(dossiers, items, now, None, None)
}

/// Every shipped indicator, all of them by one reading where it is given, by named periods or for one.
fn computed_by(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    reading: Option<(Reading, View)>,
    period: Option<Period>,
) -> Vec<Figure> {
    computed_under(dossiers, items, now, reading, period, None)
}

/// The same, under today's map of agencies where it is given.
fn computed_under(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    reading: Option<(Reading, View)>,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let notes = province::notes_table(&[]);
    let tables = [province::dossiers_table(dossiers), province::items_table(items), feedback, measures, notes];
    computed_from(tables, now, reading, period, successions)
}

/// The same, with another due date.
fn computed_due(dossiers: &[Dossier], due: DueChoice) -> Vec<Figure> {
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let notes = province::notes_table(&[]);
    let tables = [province::dossiers_table(dossiers), province::items_table(&[]), feedback, measures, notes];
    let adapt = move |_: &mut [Definition], rules: &mut [RuleSet]| rules.iter_mut().for_each(|rules| rules.due = due);
    computed_with(tables, at(NOW), adapt, None, None)
}

fn computed_from(
    tables: [LazyFrame; 5],
    now: i64,
    reading: Option<(Reading, View)>,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    let adapt = move |definitions: &mut [Definition], rules: &mut [RuleSet]| {
        let Some((reading, view)) = reading else { return };
        for definition in definitions {
            reading.name().clone_into(&mut definition.rules);
        }
        let agency = match view {
            View::Competent => AgencyView::Competent,
            View::Receiving => AgencyView::Receiving,
            View::Handling => AgencyView::Handling,
        };
        for rules in rules {
            rules.agency = agency;
        }
    };
    computed_with(tables, now, adapt, period, successions)
}

/// Few, so that the random provinces are read in parts.
const ROWS_AT_ONCE: u32 = 64;

/// By definitions and rule sets that are adapted first.
fn computed_with(
    tables: [LazyFrame; 5],
    now: i64,
    adapt: impl FnOnce(&mut [Definition], &mut [RuleSet]) + Send + 'static,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    computed_on_offer(province::offers(), tables, now, adapt, period, successions)
}

/// The same, over offers other than the province's.
fn computed_on_offer(
    offers: Vec<Offer>,
    [dossiers, postal_items, feedback, measures, dossier_notes]: [LazyFrame; 5],
    now: i64,
    adapt: impl FnOnce(&mut [Definition], &mut [RuleSet]) + Send + 'static,
    period: Option<Period>,
    successions: Option<Vec<Succession>>,
) -> Vec<Figure> {
    let work = move || {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
        let config = motcua::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        let mut definitions: Vec<Definition> = config.indicators.iter().map(|one| one.definition.clone()).collect();
        let mut rules: Vec<RuleSet> = config.rules.values().cloned().collect();
        adapt(&mut definitions, &mut rules);
        let indicators: Vec<_> = definitions.iter().map(|definition| (definition, "")).collect();
        compute(&FigureInputs {
            dossiers,
            postal_items,
            feedback,
            measures,
            dossier_notes,
            indicators: &indicators,
            rules: &rules.iter().collect::<Vec<_>>(),
            agencies: &province::agencies(),
            procedures: &province::procedures(),
            offers: &offers,
            calendar: &WorkingCalendar::new(&province::calendar()),
            now,
            successions: successions.as_deref(),
            period,
            rows_at_once: ROWS_AT_ONCE,
        })
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
    thread.join().expect("the computation ends").expect("the shipped indicators compute")
}

fn key(figure: &Figure) -> Key {
    (figure.indicator.to_string(), figure.tier, figure.agency.as_deref().map(str::to_owned), figure.period)
}

fn counts(figure: &Figure) -> Counts {
    Counts {
        numerator: figure.numerator,
        // A count has none.
        denominator: figure.denominator.unwrap_or(0),
        reachable: figure.reachable,
        one_sided: figure.one_sided.unwrap_or(0),
    }
}

/// A row of dice for each dossier and item: what a byte means is decided here, so that a failing table shrinks to
/// fewer rows and to the first, plainest choices.
struct Dice<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Dice<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        let byte = self.bytes[self.at];
        self.at += 1;
        usize::from(byte) % sides
    }

    /// One of the words, or nothing where it is empty.
    fn word(&mut self, words: &[&str]) -> Option<String> {
        let word = words[self.roll(words.len())];
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// A moment some days after `from`, at an hour where the rules turn.
    fn moment(&mut self, from: i64, days: usize) -> i64 {
        const DAY: i64 = motcua::model::instant::DAY_MICROS;
        const HOUR: i64 = DAY / 24;
        let midnight = from - (from + 7 * HOUR).rem_euclid(DAY);
        let hours = [8 * HOUR, 0, 10 * HOUR - 1, 15 * HOUR - 1, 15 * HOUR, 17 * HOUR, DAY - 1];
        let after = i64::try_from(self.roll(days)).expect("a few hundred");
        midnight + after * DAY + hours[self.roll(hours.len())]
    }
}

/// Indicators that every agency of the registries has, whether or not it has dossiers.
const OF_REGISTRIES: [&str; 7] =
    ["par-3.3.1", "par-3.3.2", "par-3.3.3", "par-3.3.4", "par-7.1.4", "par-7.2.1", "par-7.3.1"];

const BYTES: usize = 64;
const NOW: &str = "2026-03-20T01:30";

fn dossier(bytes: &[u8], number: usize) -> Dossier {
    let mut dice = Dice { bytes, at: 0 };
    // In halves of a year round the merge of 2025-07-01, some after the night itself.
    let base = at(["2025-04-20T00:00", "2025-06-20T00:00", "2024-12-20T00:00", "2025-12-20T00:00"][dice.roll(4)]);
    let received = dice.moment(base, 100);
    let due = match dice.roll(6) {
        0 | 1 => None,
        2 => Some(dice.moment(received, 1)),
        _ => Some(dice.moment(received, 12)),
    };
    let apology = match dice.roll(6) {
        0 => Some(due.unwrap_or_else(|| dice.moment(received, 20))),
        1 => Some(dice.moment(received, 20)),
        _ => None,
    };
    let first_due = if dice.roll(3) == 0 { Some(dice.moment(received, 8)) } else { None };
    let near_due = |dice: &mut Dice<'_>| {
        let offset = [0, 1, -1, 3_600_000_000][dice.roll(4)];
        match due {
            Some(due) if dice.roll(2) == 0 => due + offset,
            Some(_) => dice.moment(received, 15),
            // Round the day that stands in for the missing date.
            None => dice.moment(received, 4),
        }
    };
    let end = |dice: &mut Dice<'_>, sides: usize| (dice.roll(sides) == 0).then(|| near_due(dice));
    let completed = if dice.roll(3) > 0 { Some(end(&mut dice, 1).unwrap_or(received)) } else { None };
    let (refused, withdrawn, stopped) = (end(&mut dice, 8), end(&mut dice, 8), end(&mut dice, 8));
    let returned = if dice.roll(2) == 0 { Some(dice.moment(completed.unwrap_or(received), 40)) } else { None };
    let agencies = [
        "S1",
        "X3",
        "Xã mẫu E",
        "000.S1",
        "SỞ  MẪU A",
        "S2",
        "S3",
        "D1",
        "Huyện mẫu D (cũ)",
        "X1",
        "X2",
        "TT",
        "",
        "Phòng lạ",
        "Phòng lạ khác",
    ];
    let procedures = ["1.000001", "1.000002", "1.000003", "1.000004", "1.000005", "1.000006", "9.999999", ""];
    let statuses = ["processing", "completed", "returned", "withdrawn", "refused", "stopped", "supplement", ""];
    Dossier {
        code: (dice.roll(30) > 0).then(|| format!("H-{number}")),
        national: (dice.roll(4) == 0).then(|| format!("G-{number}")),
        parent: (dice.roll(12) == 0).then(|| "H-0".to_owned()),
        lead: if dice.roll(6) == 0 { dice.word(&agencies) } else { None },
        competent: dice.word(&agencies),
        receiving: Some("TT".to_owned()),
        procedure: dice.word(&procedures),
        level: dice.word(&["", "partial", "full", "information"]),
        channel: dice.word(&["online", "postal", "counter", ""]),
        return_requested: dice.word(&["postal", ""]),
        returned_by: dice.word(&["postal", "counter", ""]),
        status: dice.word(&statuses),
        received: (dice.roll(15) > 0).then_some(received),
        due,
        first_due,
        apology_due: apology,
        completed,
        returned,
        refused,
        withdrawn,
        stopped,
        certification: [None, Some(false), Some(true)][dice.roll(3)],
        deleted: [None, Some(false), None, Some(false), Some(true)][dice.roll(5)],
        handling: dice.word(&agencies),
        supplements: [None, Some(0), Some(1), Some(2)][dice.roll(4)],
        asked: (dice.roll(3) == 0).then(|| dice.moment(received, 6)),
        supplied: (dice.roll(4) == 0).then(|| dice.moment(received, 12)),
        apology: (dice.roll(3) == 0).then_some(received),
    }
}

fn item(bytes: &[u8], dossiers: usize) -> Item {
    let mut dice = Dice { bytes, at: 0 };
    let number = (dice.roll(256) * 256 + dice.roll(256)) % dossiers;
    let base = at("2025-04-20T00:00");
    Item {
        dossier: [Some(format!("H-{number}")), Some(format!("G-{number}")), Some("H-none".to_owned()), None]
            [[0, 0, 0, 0, 1, 1, 2, 3][dice.roll(8)]]
        .clone(),
        direction: dice.word(&["return", "submission", "return", "submission", ""]),
        accepted: (dice.roll(12) > 0).then(|| dice.moment(base, 250) + [0, 150 * 86_400_000_000][dice.roll(2)]),
        withdrawn: (dice.roll(8) == 0).then(|| dice.moment(base, 250)),
        status: dice.word(&["delivered", "accepted", "failed", "withdrawn", "in_transit", ""]),
        deleted: [None, Some(false), None, Some(false), Some(true)][dice.roll(5)],
    }
}

#[test]
fn random_tables_give_the_figures_of_plain_loops() {
    let tables = (rows(40, 150), rows(0, 60));
    // Every reading, and every view of whose a dossier is.
    let readings = proptest::sample::select(vec![
        (Reading::Seed2639, View::Competent),
        (Reading::Form06a, View::Competent),
        (Reading::Qd766, View::Competent),
        (Reading::Seed2639, View::Receiving),
        (Reading::Form06a, View::Handling),
    ]);
    let check = runner(24).run(&(tables, readings), |((dossiers, items), (reading, view))| {
        let (dossiers, items) = province_of(&dossiers, &items);
        same(&dossiers, &items, at(NOW), reading, view).map_err(TestCaseError::fail)
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}

/// A period asked for by itself gives the figures that it has among all; a day, a week or a range those of its days.
#[test]
fn one_period_gives_the_figures_of_its_days() {
    let tables = (rows(40, 120), rows(0, 60));
    let periods = proptest::sample::select(vec!["2025-05", "2025-Q3s", "2025-9Ms", "2026-H1", "2025s"]);
    let choice = (periods, proptest::sample::select(Reading::ALL.to_vec()));
    let check = runner(8).run(&(tables, choice), |((dossiers, items), (period, reading))| {
        let (dossiers, items) = province_of(&dossiers, &items);
        let period = Period::parse(period).expect("a period");
        let by = Some((reading, View::Competent));
        let of = |figures: Vec<Figure>| -> BTreeMap<Key, Counts> {
            let counted = figures
                .iter()
                .filter(|figure| figure.period == period && (figure.denominator != Some(0) || figure.numerator > 0));
            counted.map(|figure| (key(figure), counts(figure))).collect()
        };
        let alone = of(computed_by(&dossiers, &items, at(NOW), by, Some(period)));
        let among_all = of(computed_by(&dossiers, &items, at(NOW), by, None));
        let keys: BTreeSet<&Key> = alone.keys().chain(among_all.keys()).collect();
        match keys.into_iter().find(|key| alone.get(key) != among_all.get(key)) {
            None => Ok(()),
            Some(key) => Err(TestCaseError::fail(format!(
                "{reading:?} {key:?}: {:?} alone, {:?} among all",
                alone.get(key),
                among_all.get(key)
            ))),
        }
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}

/// Form II.06a for an agency, a tier and the province, in a month, a quarter and a statutory quarter: the cells of the
/// loops, and 3 = 7 + 11 in every row.
#[test]
fn form_cells_equal_the_loops_and_their_identities_hold() {
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
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
        let config = motcua::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        let inputs = FigureInputs {
            dossiers,
            postal_items: items,
            feedback: province::feedback_table(&[]),
            measures: province::measures_table(&[]),
            dossier_notes: province::notes_table(&[]),
            indicators: &[],
            rules: &[],
            agencies: &province::agencies(),
            procedures: &province::procedures(),
            offers: &province::offers(),
            calendar: &WorkingCalendar::new(&province::calendar()),
            now: at(NOW),
            successions: None,
            period: None,
            rows_at_once: ROWS_AT_ONCE,
        };
        motcua::indicators::form_counts(&inputs, &config.rules["form-06a"], period, &scope)
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
    thread.join().expect("the computation ends").expect("the form computes")
}

/// A debug Polars is slow: a fixed, small number of tables, and few tries to make a failing one smaller.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, max_shrink_iters: 40, failure_persistence: None, ..Default::default() })
}

fn rows(least: usize, most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), BYTES), least..most)
}

fn province_of(dossiers: &[Vec<u8>], items: &[Vec<u8>]) -> (Vec<Dossier>, Vec<Item>) {
    let dossiers: Vec<Dossier> = dossiers.iter().enumerate().map(|(number, row)| dossier(row, number)).collect();
    let items = items.iter().map(|row| item(row, dossiers.len())).collect();
    (dossiers, items)
}

/// Whether both ways give the same figures; else the first that differs.
fn same(dossiers: &[Dossier], items: &[Item], now: i64, reading: Reading, view: View) -> Result<(), String> {
    let mut expected = loops::figures(dossiers, items, now, reading, view);
    let mut found: BTreeMap<Key, Counts> = BTreeMap::new();
    for figure in computed_by(dossiers, items, now, Some((reading, view)), None) {
        if found.insert(key(&figure), counts(&figure)).is_some() {
            return Err(format!("{:?} stands twice", key(&figure)));
        }
    }
    for (key, counts) in found {
        // Between two periods with dossiers those without stand too, with nothing counted.
        let wanted = expected.remove(&key).unwrap_or_default();
        if counts != wanted {
            return Err(format!("{reading:?} {view:?} {key:?}: {counts:?}, the loops count {wanted:?}"));
        }
    }
    expected.into_iter().next().map_or(Ok(()), |missing| Err(format!("{reading:?}: no figure for {missing:?}")))
}

#[test]
fn the_loops_know_every_shipped_indicator() {
    let received = Some(at("2025-05-05T08:00"));
    let all = |competent: &str, procedure: &str| Dossier {
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
    // One is overdue, so that an apology is owed.
    let overdue = Dossier { due: Some(at("2025-05-08T17:00")), completed: None, ..all("S1", "1.000001") };
    let open = Dossier { due: Some(at("2026-05-08T17:00")), ..overdue.clone() };
    let dossiers = [overdue, open, all("S1", "1.000001"), all("D1", "1.000001"), all("X3", "1.000002")];
    let known: std::collections::BTreeSet<String> =
        loops::figures(&dossiers, &[], at(NOW), Reading::Seed2639, View::Competent)
            .into_keys()
            .map(|(indicator, ..)| indicator)
            .collect();
    let shipped: std::collections::BTreeSet<String> =
        computed(&dossiers, &[], at(NOW)).into_iter().map(|figure| figure.indicator.to_string()).collect();
    assert_eq!(known, shipped);
}
