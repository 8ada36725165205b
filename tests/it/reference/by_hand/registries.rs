//! What is counted over procedures and agencies, worked by hand from the province's registries (`super::super::province`).
//!
//! A figure of a registry stands in every period that has a dossier: one dossier in May and one in July 2025 open the periods.

use motcua::model::agency::Tier;
use motcua::model::figure::{Figure, Met};
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer};

use super::super::province::{self, Dossier, Item, at};
use super::super::{NOW, computed, computed_on_offer};
use super::{figure, item, on, plain, text};

/// `-` the province, `tier:…` a tier, else an agency: numerator and denominator; `None` where no figure stands.
fn counted(figures: &[Figure], indicator: &str, who: &str, period: &str) -> Option<(u64, Option<u64>)> {
    let period = Period::parse(period).expect("a period");
    let is_it = |figure: &&Figure| {
        let named = match (&figure.agency, figure.tier) {
            (Some(code), _) => code.to_string(),
            (None, Some(tier)) => format!("tier:{}", tier.name()),
            (None, None) => "-".to_owned(),
        };
        *figure.indicator == *indicator && figure.period == period && named == who
    };
    figures.iter().find(is_it).map(|figure| (figure.numerator, figure.denominator))
}

/// Indicator, who, period, and what is expected of it.
type Row = (&'static str, &'static str, &'static str, Option<(u64, u64)>);

fn assert_rows(figures: &[Figure], rows: &[Row]) {
    for (indicator, who, period, expected) in rows {
        let found = counted(figures, indicator, who, period);
        let expected = expected.map(|(part, whole)| (part, Some(whole)));
        assert_eq!(found, expected, "{indicator} {who} {period}");
    }
}

fn in_may_and_july() -> [Dossier; 2] {
    [plain("may"), Dossier { received: on("2025-07-07T08:00"), due: on("2025-07-10T17:00"), ..plain("july") }]
}

/// 3.3.1 over the province's offers. In May 2025 they are: 1.000001 by S1, at a one-stop shop; 1.000002 by the communes, who are
/// exempt, and by X3, which is not and has it at its one-stop shop; 1.000003 by the provincial tier at a one-stop shop, by S3
/// elsewhere. 1.000004 is vertical. From July 1.000005 by the communes.
#[test]
fn procedures_at_a_one_stop_shop() {
    let id = "par-3.3.1";
    let figures = computed(&in_may_and_july(), &[], at(NOW));
    assert_rows(
        &figures,
        &[
            // Of 1, 2 and 3 the third is not at a one-stop shop with all that offer it.
            (id, "-", "2025-05", Some((2, 3))),
            (id, "tier:province", "2025-05", Some((1, 2))),
            // X3's row of 2 alone: that of the communes is exempt.
            (id, "tier:commune", "2025-05", Some((1, 1))),
            (id, "tier:district", "2025-05", None),
            // 1 of its own and 3 of its tier: where S3 receives the third is no matter of S1's.
            (id, "S1", "2025-05", Some((2, 2))),
            (id, "S3", "2025-05", Some((0, 1))),
            (id, "X3", "2025-05", Some((1, 1))),
            // All that X1 has is exempt.
            (id, "X1", "2025-05", None),
            // 5 is new, at one-stop shops.
            (id, "-", "2025-07", Some((3, 4))),
            (id, "tier:province", "2025-07", Some((1, 2))),
            (id, "tier:commune", "2025-07", Some((2, 2))),
            (id, "X2", "2025-07", Some((1, 1))),
            (id, "X3", "2025-07", Some((2, 2))),
            // X1 ended on 30 June: what the communes offer from July is not its.
            (id, "X1", "2025-07", None),
            (id, "X1", "2025-07s", None),
            // On any day of the period: the year has both halves, and the first offer of 1 and the second are one procedure.
            (id, "-", "2025", Some((3, 4))),
            (id, "-", "2025-H1", Some((2, 3))),
            // 15 June to 14 July.
            (id, "-", "2025-07s", Some((3, 4))),
            // Nothing was received: no figure.
            (id, "-", "2025-06", None),
        ],
    );
}

/// 3.3.2: the list of QĐ 1291 alone, of vertical procedures too; here 1.000004 by the provincial tier until June and, from July,
/// by S2 at its own counter and by S1 at a one-stop shop, and 1.000001 by S1 from July.
#[test]
fn vertical_procedures_of_the_list_at_a_one_stop_shop() {
    let id = "par-3.3.2";
    let (last, first) = (Some(jiff::civil::date(2025, 6, 30)), Some(jiff::civil::date(2025, 7, 1)));
    let listed = |procedure: &str, offerer, at_one_stop| Offer {
        list_1291: true,
        at_one_stop,
        ..province::offer(procedure, offerer, None, false, false)
    };
    let agency = |code: &str| Offerer::Agency(code.to_owned());
    let offers = vec![
        Offer { valid_to: last, ..listed("1.000004", Offerer::Tier(Tier::Province), true) },
        Offer { valid_from: first, ..listed("1.000004", agency("S2"), false) },
        Offer { valid_from: first, ..listed("1.000004", agency("S1"), true) },
        Offer { valid_from: first, ..listed("1.000001", agency("S1"), true) },
        // Not on the list, and nowhere at a one-stop shop.
        Offer { list_1291: false, ..listed("1.000003", agency("S3"), false) },
    ];
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let [dossiers, items] = [province::dossiers_table(&in_may_and_july()), province::items_table(&[])];
    let tables = [dossiers, items, feedback, measures, province::notes_table(&[])];
    let figures = computed_on_offer(offers, tables, at(NOW), |_, _| (), None, None);
    assert_rows(
        &figures,
        &[
            (id, "-", "2025-05", Some((1, 1))),
            (id, "tier:province", "2025-05", Some((1, 1))),
            (id, "tier:commune", "2025-05", None),
            (id, "S3", "2025-05", Some((1, 1))),
            // 4 is not at a one-stop shop with S2, 1 is with S1.
            (id, "-", "2025-07", Some((1, 2))),
            (id, "S1", "2025-07", Some((2, 2))),
            (id, "S2", "2025-07", Some((0, 1))),
            // The offer that put S3 on the list has ended.
            (id, "S3", "2025-07", None),
            // In the year 4 was offered in both ways; not always at a one-stop shop.
            (id, "-", "2025", Some((1, 2))),
            (id, "S3", "2025", Some((1, 1))),
            // 3 is counted where the list is not asked for.
            ("par-3.3.1", "-", "2025-07", Some((1, 2))),
        ],
    );
    // All of the list is asked for: one of two is missed.
    assert_eq!(figure(&figures, id, None, "2025").met(), Some(Met::No));
    assert_eq!(figure(&figures, id, None, "2025-05").met(), Some(Met::Yes));
}

/// 3.3.3: S1 offers 1.000001 interlinked at the same level until June, and not from July. 3.3.4: X3 offers 1.000002 interlinked
/// between levels.
#[test]
fn interlinked_procedures() {
    let figures = computed(&in_may_and_july(), &[], at(NOW));
    for (indicator, who, period, expected) in [
        ("par-3.3.3", "-", "2025-05", Some(1)),
        ("par-3.3.3", "tier:province", "2025-05", Some(1)),
        ("par-3.3.3", "tier:commune", "2025-05", Some(0)),
        ("par-3.3.3", "-", "2025-07", Some(0)),
        // Offered so on some of its days: the year, and 15 June to 14 July; not the second half.
        ("par-3.3.3", "-", "2025", Some(1)),
        ("par-3.3.3", "-", "2025-07s", Some(1)),
        ("par-3.3.3", "-", "2025-H2", Some(0)),
        ("par-3.3.4", "-", "2025-05", Some(1)),
        ("par-3.3.4", "tier:commune", "2025-07", Some(1)),
        ("par-3.3.4", "tier:province", "2025-07", Some(0)),
        // How many there are is asked of the province and its tiers.
        ("par-3.3.3", "S1", "2025-05", None),
        ("par-3.3.4", "X3", "2025-05", None),
    ] {
        let expected = expected.map(|count| (count, None));
        assert_eq!(counted(&figures, indicator, who, period), expected, "{indicator} {who} {period}");
    }
    // Fifty are asked for.
    assert_eq!(figure(&figures, "par-3.3.3", None, "2025").met(), Some(Met::No));
}

fn received(code: &str, agency: &str, moment: &str) -> Dossier {
    Dossier { competent: text(agency), received: on(moment), ..plain(code) }
}

/// 7.1.4 at 14 May 2025, a Wednesday, the end of the statutory month. Back from it: 14, 13, 12 May; 9, 8, 7, 6, 5 May, that is
/// eight; 2 May is a day in exchange, 30 April and 1 May are holidays; 29 April is the ninth and Monday 28 April the tenth. The
/// eleventh is Saturday the 26th, which is worked. S1, S3, D1, X1 and X3 stand; X2 begins in July, TT is a counter, S2 vertical.
#[test]
fn agencies_heard_from_within_ten_working_days_of_a_periods_end() {
    let id = "par-7.1.4";
    let rows = [
        received("the tenth day", "S1", "2025-04-28T00:00"),
        received("the eleventh day", "S3", "2025-04-26T23:59:59"),
        received("the Sunday between", "S3", "2025-04-27T10:00"),
        received("the last day", "X3", "2025-05-14T23:59:59"),
        received("the day after", "D1", "2025-05-15T00:00"),
        received("vertical", "S2", "2025-05-14T08:00"),
        // The counter received it; it is the commune's own.
        Dossier { receiving: text("TT"), ..received("at the counter", "X1", "2025-05-06T08:00") },
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_rows(
        &figures,
        &[
            (id, "-", "2025-05s", Some((3, 5))),
            (id, "tier:province", "2025-05s", Some((1, 2))),
            (id, "tier:district", "2025-05s", Some((0, 1))),
            (id, "tier:commune", "2025-05s", Some((2, 2))),
            (id, "S1", "2025-05s", Some((1, 1))),
            (id, "S3", "2025-05s", Some((0, 1))),
            (id, "D1", "2025-05s", Some((0, 1))),
            (id, "TT", "2025-05s", None),
            (id, "S2", "2025-05s", None),
            // Not yet founded.
            (id, "X2", "2025-05s", None),
            // April ends on Wednesday the 30th, a holiday. Back: 29, 28, 26; 25, 24, 23, 22, 21; 18, 17, the tenth.
            (id, "-", "2025-04", Some((2, 5))),
            (id, "S3", "2025-04", Some((1, 1))),
            // May ends on Saturday the 31st. Back: 30 to 26, 23 to 19: none of them, the latest was on the 15th.
            (id, "-", "2025-05", Some((0, 5))),
        ],
    );
    assert_eq!(figure(&figures, id, None, "2025-05s").met(), Some(Met::No));
}

/// 7.1.4 in a period that is not over: before the night, Friday 20 March 2026. Back: 20 to 16, 13 to 9 March; Monday the 9th is
/// the tenth. S1, S3, X2 and X3 stand; D1 and X1 ended in 2025.
#[test]
fn agencies_heard_from_within_ten_working_days_of_the_night() {
    let id = "par-7.1.4";
    let rows = [
        received("the tenth day", "S1", "2026-03-09T00:00"),
        received("the day before it", "S3", "2026-03-08T23:59:59"),
        received("the night itself", "X2", "2026-03-20T01:30"),
        received("after the night", "X3", "2026-03-20T01:30:01"),
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_rows(
        &figures,
        &[
            (id, "-", "2026-03", Some((2, 4))),
            (id, "tier:province", "2026-03", Some((1, 2))),
            (id, "tier:commune", "2026-03", Some((1, 2))),
            (id, "X2", "2026", Some((1, 1))),
            (id, "X1", "2026", None),
            // The statutory month ended on Saturday 14 March. Back: 13 to 9, 6 to 2: S3 is in, X2 is not.
            (id, "-", "2026-03s", Some((2, 4))),
            (id, "S3", "2026-03s", Some((1, 1))),
        ],
    );
    // Until the month is over the others may still be heard from.
    assert_eq!(figure(&figures, id, None, "2026-03").met(), Some(Met::Open));
    assert_eq!(figure(&figures, id, None, "2026-03s").met(), Some(Met::No));
}

/// 7.2.1: at level 3 or 4 are offered 1.000001 by S1, 1.000002 by the communes and 1.000003 by the provincial tier; from July
/// 1.000005 by the communes. S3 itself offers 1.000003 for information only, and 1.000004 is vertical.
#[test]
fn procedures_with_online_dossiers() {
    let id = "par-7.2.1";
    let online = |code: &str, agency: &str, procedure: &str, moment: &str| Dossier {
        procedure: text(procedure),
        channel: text("online"),
        ..received(code, agency, moment)
    };
    let rows = [
        online("1", "S1", "1.000001", "2025-05-05T08:00"),
        online("the same procedure again", "S1", "1.000001", "2025-05-06T08:00"),
        Dossier { channel: text("counter"), ..online("at the counter", "X1", "1.000002", "2025-05-06T08:00") },
        online("for information only", "S3", "1.000003", "2025-05-06T08:00"),
        online("vertical", "S1", "1.000004", "2025-05-06T08:00"),
        online("not yet offered", "X3", "1.000005", "2025-06-30T23:59"),
        online("offered", "X3", "1.000005", "2025-07-01T00:00"),
        online("by another of the tier", "S1", "1.000003", "2025-07-01T00:00"),
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_rows(
        &figures,
        &[
            (id, "-", "2025-05", Some((1, 3))),
            // Of 1 and 3.
            (id, "tier:province", "2025-05", Some((1, 2))),
            (id, "S1", "2025-05", Some((1, 2))),
            (id, "tier:commune", "2025-05", Some((0, 1))),
            // Its own row, for information, comes before its tier's: it offers nothing online.
            (id, "S3", "2025-05", None),
            // An online dossier of what is not offered online yet: none of 1, 2 and 3.
            (id, "-", "2025-06", Some((0, 3))),
            // Had no dossier in July, and offers 2 and 5 all the same; its predecessor had offered 2.
            (id, "X2", "2025-07", Some((0, 2))),
            (id, "X1", "2025-06", Some((0, 1))),
            (id, "X1", "2025-07", None),
            (id, "-", "2025-07", Some((2, 4))),
            (id, "X3", "2025-07", Some((1, 2))),
            (id, "-", "2025", Some((3, 4))),
        ],
    );
    assert_eq!(figure(&figures, id, None, "2025").met(), Some(Met::Yes));
}

/// 7.3.1: deployed for the post, one way or the other, are 1.000001, 1.000002 and 1.000003; from July 1.000005.
#[test]
fn procedures_with_postal_dossiers() {
    let id = "par-7.3.1";
    let of = |code: &str, agency: &str, procedure: &str| Dossier {
        procedure: text(procedure),
        ..received(code, agency, "2025-05-05T08:00")
    };
    let rows = [
        Dossier { channel: text("postal"), ..of("by the portal", "S1", "1.000001") },
        of("by the post's return", "S3", "1.000003"),
        of("withdrawn", "X3", "1.000002"),
        Dossier { channel: text("postal"), ..of("vertical", "S1", "1.000004") },
        // Returned by post, as the portal says; the dossier is July's, not August's.
        Dossier {
            received: on("2025-07-31T08:00"),
            returned: on("2025-08-04T08:00"),
            returned_by: text("postal"),
            ..of("returned", "X3", "1.000005")
        },
    ];
    let items = [
        item("by the post's return", "return"),
        Item { withdrawn: on("2025-05-07T08:00"), ..item("withdrawn", "submission") },
    ];
    let figures = computed(&rows, &items, at(NOW));
    assert_rows(
        &figures,
        &[
            (id, "-", "2025-05", Some((2, 3))),
            // S1's own and that of its tier.
            (id, "S1", "2025-05", Some((1, 2))),
            (id, "S3", "2025-05", Some((1, 1))),
            (id, "tier:province", "2025-05", Some((2, 2))),
            (id, "tier:commune", "2025-05", Some((0, 1))),
            (id, "-", "2025-07", Some((1, 4))),
            (id, "-", "2025-08", None),
            (id, "-", "2025", Some((3, 4))),
        ],
    );
}
