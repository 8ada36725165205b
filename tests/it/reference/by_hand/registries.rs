//! Indicators that count procedures and agencies, worked by hand from the registries of `province`.
//!
//! Registries have figures only in periods in which a dossier was received: here one in May and one in July 2025.

use motcua::model::agency::Tier;
use motcua::model::figure::{Figure, Met};
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer};

use super::super::province::{self, Dossier, Item, at};
use super::super::{NOW, computed, computed_with_offers};
use super::{figure, item, on, plain, text};

/// Numerator and denominator of a figure; `None` if there is no figure. `scope`: `-` for the province, `tier:…` for a
/// tier, else the code of an agency.
fn counted(figures: &[Figure], indicator: &str, scope: &str, period: &str) -> Option<(u64, Option<u64>)> {
    let period = Period::parse(period).expect("a period");
    let is_it = |figure: &&Figure| {
        let scope_of_figure = match (&figure.agency, figure.tier) {
            (Some(code), _) => code.to_string(),
            (None, Some(tier)) => format!("tier:{}", tier.name()),
            (None, None) => "-".to_owned(),
        };
        *figure.indicator == *indicator && figure.period == period && scope_of_figure == scope
    };
    figures.iter().find(is_it).map(|figure| (figure.numerator, figure.denominator))
}

/// Indicator, scope, period, and the expected numerator and denominator.
type Row = (&'static str, &'static str, &'static str, Option<(u64, u64)>);

fn assert_rows(figures: &[Figure], rows: &[Row]) {
    for (indicator, scope, period, expected) in rows {
        let found = counted(figures, indicator, scope, period);
        let expected = expected.map(|(numerator, denominator)| (numerator, Some(denominator)));
        assert_eq!(found, expected, "{indicator} {scope} {period}");
    }
}

fn in_may_and_july() -> [Dossier; 2] {
    [plain("may"), Dossier { received: on("2025-07-07T08:00"), due: on("2025-07-10T17:00"), ..plain("july") }]
}

/// 3.3.1. Offers in May 2025: 1.000001 by S1 at a one-stop shop; 1.000002 by the communes, which are exempt, and by X3,
/// which is not exempt and has a one-stop shop for it; 1.000003 by the provincial tier at a one-stop shop, and by S3
/// elsewhere; 1.000004 is vertical. From July on the communes also offer 1.000005 at one-stop shops.
#[test]
fn procedures_at_a_one_stop_shop() {
    let id = "par-3.3.1";
    let figures = computed(&in_may_and_july(), &[], at(NOW));
    assert_rows(
        &figures,
        &[
            // Of 1, 2 and 3, the third is not at a one-stop shop at every agency that offers it.
            (id, "-", "2025-05", Some((2, 3))),
            (id, "tier:province", "2025-05", Some((1, 2))),
            // Only X3's offer of 2: that of the communes is exempt.
            (id, "tier:commune", "2025-05", Some((1, 1))),
            (id, "tier:district", "2025-05", None),
            // Its own offer of 1, and its tier's of 3. S3's offer of 3 does not count for S1.
            (id, "S1", "2025-05", Some((2, 2))),
            (id, "S3", "2025-05", Some((0, 1))),
            (id, "X3", "2025-05", Some((1, 1))),
            // Everything that X1 offers is exempt.
            (id, "X1", "2025-05", None),
            // 5 is new.
            (id, "-", "2025-07", Some((3, 4))),
            (id, "tier:province", "2025-07", Some((1, 2))),
            (id, "tier:commune", "2025-07", Some((2, 2))),
            (id, "X2", "2025-07", Some((1, 1))),
            (id, "X3", "2025-07", Some((2, 2))),
            // X1 ended on 30 June: what the communes offer from July on does not count for it.
            (id, "X1", "2025-07", None),
            (id, "X1", "2025-07s", None),
            // Offers of any day of the period count. The two offers of 1 in the year are one procedure.
            (id, "-", "2025", Some((3, 4))),
            (id, "-", "2025-H1", Some((2, 3))),
            // 15 June to 14 July.
            (id, "-", "2025-07s", Some((3, 4))),
            // No dossier was received: there is no figure.
            (id, "-", "2025-06", None),
        ],
    );
}

/// 3.3.2: only procedures of the list of QĐ 1291, including vertical ones. Here: 1.000004 by the provincial tier until
/// June; from July on 1.000004 by S2 at its own counter and by S1 at a one-stop shop, and 1.000001 by S1.
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
        // Not on the list, and not at a one-stop shop.
        Offer { list_1291: false, ..listed("1.000003", agency("S3"), false) },
    ];
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let [dossiers, items] = [province::dossiers_table(&in_may_and_july()), province::items_table(&[])];
    let tables = [dossiers, items, feedback, measures, province::notes_table(&[])];
    let figures = computed_with_offers(offers, tables, at(NOW), |_, _| (), None, None);
    assert_rows(
        &figures,
        &[
            (id, "-", "2025-05", Some((1, 1))),
            (id, "tier:province", "2025-05", Some((1, 1))),
            (id, "tier:commune", "2025-05", None),
            (id, "S3", "2025-05", Some((1, 1))),
            // 4 is not at a one-stop shop at S2; 1 is at one at S1.
            (id, "-", "2025-07", Some((1, 2))),
            (id, "S1", "2025-07", Some((2, 2))),
            (id, "S2", "2025-07", Some((0, 1))),
            // The tier's offer, which counted for S3, has ended.
            (id, "S3", "2025-07", None),
            // In the year 4 was not always offered at a one-stop shop.
            (id, "-", "2025", Some((1, 2))),
            (id, "S3", "2025", Some((1, 1))),
            // 3.3.1 counts 3 too, because it does not ask for the list.
            ("par-3.3.1", "-", "2025-07", Some((1, 2))),
        ],
    );
    // The target is the whole list: one of two is not enough.
    assert_eq!(figure(&figures, id, None, "2025").met(), Some(Met::No));
    assert_eq!(figure(&figures, id, None, "2025-05").met(), Some(Met::Yes));
}

/// 3.3.3: S1 offers 1.000001 interlinked at the same level until June. 3.3.4: X3 offers 1.000002 interlinked between
/// levels.
#[test]
fn interlinked_procedures() {
    let figures = computed(&in_may_and_july(), &[], at(NOW));
    for (indicator, scope, period, expected) in [
        ("par-3.3.3", "-", "2025-05", Some(1)),
        ("par-3.3.3", "tier:province", "2025-05", Some(1)),
        ("par-3.3.3", "tier:commune", "2025-05", Some(0)),
        ("par-3.3.3", "-", "2025-07", Some(0)),
        // Interlinked on some days of the year, and of 15 June to 14 July; on none of the second half-year.
        ("par-3.3.3", "-", "2025", Some(1)),
        ("par-3.3.3", "-", "2025-07s", Some(1)),
        ("par-3.3.3", "-", "2025-H2", Some(0)),
        ("par-3.3.4", "-", "2025-05", Some(1)),
        ("par-3.3.4", "tier:commune", "2025-07", Some(1)),
        ("par-3.3.4", "tier:province", "2025-07", Some(0)),
        // An agency has what it offers itself, and no row if that is nothing.
        ("par-3.3.3", "S1", "2025-05", Some(1)),
        ("par-3.3.3", "S1", "2025-07", None),
        ("par-3.3.3", "S3", "2025-05", None),
        ("par-3.3.4", "X3", "2025-05", Some(1)),
    ] {
        let expected = expected.map(|count| (count, None));
        assert_eq!(counted(&figures, indicator, scope, period), expected, "{indicator} {scope} {period}");
    }
    // The target is fifty in the whole province; the annex sets none for a tier or an agency.
    assert_eq!(figure(&figures, "par-3.3.3", None, "2025").met(), Some(Met::No));
    assert_eq!(figure(&figures, "par-3.3.3", Some("S1"), "2025-05").target, None);
}

/// "TTHC hoặc nhóm TTHC": a group of procedures that are resolved together counts once, wherever its parts are offered.
#[test]
fn a_group_of_interlinked_procedures_counts_once() {
    let linked = |procedure: &str, offerer, group: Option<&str>| Offer {
        interlinked: Some("same_level".to_owned()),
        group_code: group.map(str::to_owned),
        ..province::offer(procedure, offerer, None, false, false)
    };
    let agency = |code: &str| Offerer::Agency(code.to_owned());
    let offers = vec![
        linked("1.000001", agency("S1"), Some("N1")),
        linked("1.000003", agency("S3"), Some("N1")),
        linked("1.000005", agency("S1"), None),
        // Another group, of one level only with itself.
        linked("1.000006", Offerer::Tier(Tier::Commune), Some("N2")),
        // Its procedure is vertical.
        linked("1.000004", agency("S1"), Some("N3")),
    ];
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let [dossiers, items] = [province::dossiers_table(&in_may_and_july()), province::items_table(&[])];
    let tables = [dossiers, items, feedback, measures, province::notes_table(&[])];
    let figures = computed_with_offers(offers, tables, at(NOW), |_, _| (), None, None);
    for (scope, expected) in [
        // N1, 1.000005 and N2.
        ("-", Some(3)),
        ("tier:province", Some(2)),
        ("tier:commune", Some(1)),
        ("S1", Some(2)),
        ("S3", Some(1)),
        ("X3", Some(1)),
        ("D1", None),
    ] {
        assert_eq!(counted(&figures, "par-3.3.3", scope, "2025-05"), expected.map(|count| (count, None)), "{scope}");
    }
}

fn received(code: &str, agency: &str, moment: &str) -> Dossier {
    Dossier { competent: text(agency), received: on(moment), ..plain(code) }
}

/// 7.1.4 on Wednesday 14 May 2025, the end of the statutory month. Working days counted back: 14, 13, 12, 9, 8, 7, 6
/// and 5 May are eight. 2 May is a day off in exchange, 30 April and 1 May are holidays. 29 April is the ninth and
/// Monday 28 April the tenth. The eleventh is Saturday the 26th, which is worked. S1, S3, X1 and X3 exist; X2
/// begins in July; TT is a service centre and S2 is vertical. D1 exists too, but no offer gives it a procedure.
#[test]
fn agencies_connected_in_the_ten_working_days_up_to_a_periods_end() {
    let id = "par-7.1.4";
    let rows = [
        received("the tenth day", "S1", "2025-04-28T00:00"),
        received("the eleventh day", "S3", "2025-04-26T23:59:59"),
        received("the Sunday between", "S3", "2025-04-27T10:00"),
        received("the last day", "X3", "2025-05-14T23:59:59"),
        received("the day after", "D1", "2025-05-15T00:00"),
        received("vertical", "S2", "2025-05-14T08:00"),
        // A counter received it for the commune.
        Dossier { receiving: text("TT"), ..received("at the counter", "X1", "2025-05-06T08:00") },
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_rows(
        &figures,
        &[
            (id, "-", "2025-05s", Some((3, 4))),
            (id, "tier:province", "2025-05s", Some((1, 2))),
            (id, "tier:district", "2025-05s", None),
            (id, "tier:commune", "2025-05s", Some((2, 2))),
            (id, "S1", "2025-05s", Some((1, 1))),
            (id, "S3", "2025-05s", Some((0, 1))),
            (id, "D1", "2025-05s", None),
            (id, "TT", "2025-05s", None),
            (id, "S2", "2025-05s", None),
            // Not yet founded.
            (id, "X2", "2025-05s", None),
            // April ends on Wednesday the 30th, a holiday. Counted back: 29, 28, 26, 25, 24, 23, 22, 21, 18; the tenth
            // is 17.
            (id, "-", "2025-04", Some((2, 4))),
            (id, "S3", "2025-04", Some((1, 1))),
            // May ends on Saturday the 31st. Counted back: 30 to 26 and 23 to 19. The latest dossier is of the 15th.
            (id, "-", "2025-05", Some((0, 4))),
        ],
    );
    // D1 is listed there instead; it ended in 2025, before the year's last day.
    let without = "par-7.1.4-without-procedures";
    for (scope, period, expected) in [
        ("-", "2025-05s", Some(1)),
        ("tier:district", "2025-05s", Some(1)),
        ("tier:commune", "2025-05s", Some(0)),
        ("D1", "2025-05s", Some(1)),
        ("S1", "2025-05s", None),
        ("-", "2025", Some(0)),
        ("D1", "2025", None),
    ] {
        assert_eq!(counted(&figures, without, scope, period), expected.map(|count| (count, None)), "{scope} {period}");
    }
    // An annual target: the year is judged at its end, in whose last ten working days there was no dossier.
    assert_eq!(figure(&figures, id, None, "2025-05s").met(), None);
    assert_eq!(figure(&figures, id, None, "2025").met(), Some(Met::No));
}

/// 7.1.4 in a period that is not over: up to the night, Friday 20 March 2026. Counted back: 20 to 16 and 13 to 9 March,
/// so that Monday the 9th is the tenth. S1, S3, X2 and X3 exist; D1 and X1 ended in 2025.
#[test]
fn agencies_connected_in_the_ten_working_days_up_to_the_night() {
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
            // The statutory month ended on Saturday 14 March. Counted back: 13 to 9 and 6 to 2. S3 counts, X2 does not.
            (id, "-", "2026-03s", Some((2, 4))),
            (id, "S3", "2026-03s", Some((1, 1))),
        ],
    );
    // Until the year is over, the others can still become connected.
    assert_eq!(figure(&figures, id, None, "2026").met(), Some(Met::Open));
    assert_eq!(figure(&figures, id, None, "2026-03s").met(), None);
}

/// 7.2.1. Offered at level 3 or 4: 1.000001 by S1, 1.000002 by the communes, 1.000003 by the provincial tier, and from
/// July on 1.000005 by the communes. S3 itself offers 1.000003 for information only, and 1.000004 is vertical.
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
            // 1 of 1 and 3.
            (id, "tier:province", "2025-05", Some((1, 2))),
            (id, "S1", "2025-05", Some((1, 2))),
            (id, "tier:commune", "2025-05", Some((0, 1))),
            // Its own offer, for information only, overrides its tier's: it offers nothing online.
            (id, "S3", "2025-05", None),
            // The only online dossier is of a procedure that is not yet offered: none of 1, 2 and 3.
            (id, "-", "2025-06", Some((0, 3))),
            // X2 has no dossier in July, but offers 2 and 5. Its predecessor X1 offered 2.
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

/// 7.3.1. Deployed for reception or return by post: 1.000001, 1.000002 and 1.000003; from July on also 1.000005.
#[test]
fn procedures_with_postal_dossiers() {
    let id = "par-7.3.1";
    let of_procedure = |code: &str, agency: &str, procedure: &str| Dossier {
        procedure: text(procedure),
        ..received(code, agency, "2025-05-05T08:00")
    };
    let rows = [
        Dossier { channel: text("postal"), ..of_procedure("by the portal", "S1", "1.000001") },
        of_procedure("by the post's return", "S3", "1.000003"),
        of_procedure("withdrawn", "X3", "1.000002"),
        Dossier { channel: text("postal"), ..of_procedure("vertical", "S1", "1.000004") },
        // Returned by post according to the portal. The day of the return decides: August, not July.
        Dossier {
            received: on("2025-07-31T08:00"),
            returned: on("2025-08-04T08:00"),
            returned_by: text("postal"),
            ..of_procedure("returned", "X3", "1.000005")
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
            // S1's own procedure and that of its tier.
            (id, "S1", "2025-05", Some((1, 2))),
            (id, "S3", "2025-05", Some((1, 1))),
            (id, "tier:province", "2025-05", Some((2, 2))),
            (id, "tier:commune", "2025-05", Some((0, 1))),
            (id, "-", "2025-07", Some((0, 4))),
            // Nothing was received in August, but a result was returned.
            (id, "-", "2025-08", Some((1, 4))),
            (id, "X3", "2025-08", Some((1, 2))),
            (id, "-", "2025", Some((3, 4))),
            // Other indicators of registries have no figure in a month without receptions.
            ("par-7.2.1", "-", "2025-08", None),
        ],
    );
}

/// 7.2.1, an agency's own row without a level: it has that of its tier's row on the same days. Here the communes offer
/// 1.000002 for information only until June 2025, at level 4 from July to September, and not from October on. X3's own
/// row, without a level, is valid on all days, and X2's until August.
#[test]
fn an_own_offer_without_a_level_has_that_of_the_tier_on_its_days() {
    let id = "par-7.2.1";
    let day = |month, day| Some(jiff::civil::date(2025, month, day));
    let of_tier = |level, from, to| Offer {
        valid_from: from,
        valid_to: to,
        ..province::offer("1.000002", Offerer::Tier(Tier::Commune), Some(level), false, false)
    };
    let own = |code: &str, to| Offer {
        valid_to: to,
        ..province::offer("1.000002", Offerer::Agency(code.to_owned()), None, false, false)
    };
    let offers = vec![
        own("X3", None),
        own("X2", day(8, 31)),
        of_tier("full", day(7, 1), day(9, 30)),
        of_tier("information", None, day(6, 30)),
    ];
    let online = |code: &str, moment: &str| Dossier {
        procedure: text("1.000002"),
        channel: text("online"),
        ..received(code, "X3", moment)
    };
    let rows = [
        online("May", "2025-05-05T08:00"),
        online("July", "2025-07-07T08:00"),
        online("September", "2025-09-08T08:00"),
        online("November", "2025-11-03T08:00"),
    ];
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let [dossiers, items] = [province::dossiers_table(&rows), province::items_table(&[])];
    let tables = [dossiers, items, feedback, measures, province::notes_table(&[])];
    let figures = computed_with_offers(offers, tables, at(NOW), |_, _| (), None, None);
    assert_rows(
        &figures,
        &[
            (id, "X3", "2025-05", None),
            (id, "X3", "2025-07", Some((1, 1))),
            (id, "X3", "2025-09", Some((1, 1))),
            (id, "X3", "2025-11", None),
            (id, "X2", "2025-07", Some((0, 1))),
            (id, "-", "2025-05", None),
            (id, "-", "2025-07", Some((1, 1))),
            (id, "-", "2025-11", None),
            (id, "-", "2025", Some((1, 1))),
        ],
    );
}
