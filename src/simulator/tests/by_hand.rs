#![expect(clippy::disallowed_methods, reason = "edge: the tests read the exports back")]
//! Seven dossiers whose figures are worked out by hand.

use jiff::civil::{Date, DateTime, date, datetime};

use super::{REGISTRIES, TODAY};
use crate::simulator::dossier::{Channel, Dossier, Ending, Flaw, Resend, Supplement};
use crate::simulator::post::{PostalService, Target, Waybill};
use crate::simulator::registry::Registry;
use crate::simulator::working_days::Moment;
use crate::simulator::{Province, TruthFigure, TruthScope};

fn at(moment: DateTime) -> Moment {
    moment.duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_secs()
}

/// March or April 2026.
fn on(month: i8, day: i8, hour: i8, minute: i8, second: i8) -> Moment {
    at(datetime(2026, month, day, hour, minute, second, 0))
}

fn dossier(number: u8, agency: u32, procedure: u32, channel: Channel, accepted: Moment) -> Dossier {
    Dossier {
        id: [number; 12],
        agency,
        procedure,
        sequence: u32::from(number),
        applied: accepted,
        accepted: Some(accepted),
        due: None,
        due_change: None,
        due_moves: Vec::new(),
        apology: None,
        is_silent: false,
        channel,
        channel_before: None,
        level: None,
        return_by_post: false,
        supplement: None,
        ending: Ending::Done,
        ended: None,
        mistaken_end: None,
        returned: None,
        flaw: None,
        resend: Resend::Once,
        style: 1,
    }
}

fn waybill(serial: u32, dossier: u32, service: PostalService, accepted: Moment) -> Waybill {
    let target = Target::Dossier(dossier);
    Waybill { serial, service, target, accepted, finished: None, withdrawn: None, fee: 30, wrong_digit: false }
}

/// Rows of the registries in `tests/mod.rs`.
const DEPARTMENT: u32 = 0;
const COMMUNE: u32 = 1;
const BRANCH: u32 = 2;
const FIVE_DAYS: u32 = 0;
const CERTIFICATION: u32 = 1;
const TAX: u32 = 2;

fn province() -> Province {
    // Due on 9 March, a date without time; ended that afternoon: on time. Handed in by post according to the post
    // alone.
    let mut dated = dossier(0, DEPARTMENT, FIVE_DAYS, Channel::Counter, on(3, 2, 9, 0, 1));
    dated.due = Some(on(3, 9, 0, 0, 0));
    dated.ended = Some(on(3, 9, 16, 0, 0));
    dated.returned = Some(on(3, 10, 8, 0, 0));
    // One second late. The result is returned by post in April, which the portal does not show.
    let mut late = dossier(1, DEPARTMENT, FIVE_DAYS, Channel::Online, on(3, 3, 9, 0, 1));
    late.due = Some(on(3, 10, 10, 0, 0));
    late.ended = Some(on(3, 10, 10, 0, 1));
    // 31 March in UTC, 1 April here. No due date: five working days, to the end of 8 April.
    let mut statutory = dossier(2, DEPARTMENT, FIVE_DAYS, Channel::Postal, on(4, 1, 3, 0, 1));
    statutory.ended = Some(on(4, 8, 17, 0, 0));
    // Certification accepted on a Saturday and ended on Monday: on time. Its waybill was withdrawn.
    let mut saturday = dossier(3, COMMUNE, CERTIFICATION, Channel::Counter, on(3, 7, 10, 0, 1));
    saturday.ended = Some(on(3, 9, 16, 0, 0));
    saturday.returned = saturday.ended;
    let open = dossier(4, COMMUNE, CERTIFICATION, Channel::Online, on(3, 6, 15, 0, 0));
    let tax = dossier(5, BRANCH, TAX, Channel::Online, on(3, 6, 9, 0, 1));
    let mut bad = dossier(6, DEPARTMENT, FIVE_DAYS, Channel::Counter, on(3, 6, 9, 0, 1));
    bad.flaw = Some(Flaw::NoProcedureCode);

    let mut withdrawn = waybill(3, 3, PostalService::Submission, on(3, 7, 8, 0, 0));
    withdrawn.withdrawn = Some(on(3, 9, 8, 0, 0));
    let mut mistyped = waybill(4, 0, PostalService::Return, on(3, 10, 9, 0, 0));
    mistyped.wrong_digit = true;
    let mut nameless = waybill(5, 0, PostalService::Return, on(3, 10, 9, 0, 0));
    nameless.target = Target::NoCode(0);
    let waybills = vec![
        waybill(1, 0, PostalService::Submission, on(3, 2, 8, 0, 0)),
        withdrawn,
        mistyped,
        nameless,
        waybill(2, 1, PostalService::Return, on(4, 1, 8, 0, 0)),
    ];
    let registry = Registry::read(&REGISTRIES).expect("the registries are well formed");
    Province::new(registry, vec![dated, late, statutory, saturday, open, tax, bad], waybills, TODAY)
}

/// Figures of the whole province for a period, as of a day: indicator, numerator, denominator.
fn figures(day: Date, period: &str) -> Vec<(&'static str, u64, u64)> {
    let truth = province().truth(day);
    let wanted =
        truth.figures.into_iter().filter(|figure| figure.scope == TruthScope::Province && figure.period == period);
    wanted.map(|figure| (figure.indicator, figure.numerator, figure.denominator)).collect()
}

#[test]
fn figures_of_the_year_as_of_today() {
    let expected = [
        ("nd224-online", 2, 5),
        ("par-3.4.1", 2, 3),
        ("par-3.4.3", 1, 2),
        // The late one, and the certification accepted at 15:00 sharp, which is overdue since that evening.
        ("par-3.4.4", 0, 2),
        ("par-3.4.4-late", 0, 2),
        ("par-3.4.4-stated", 0, 2),
        ("par-3.4.5-3", 0, 5),
        ("par-7.2.2", 2, 5),
        ("par-7.2.2-level-3", 1, 5),
        ("par-7.2.2-level-4", 1, 5),
        ("par-7.3.2-deployed", 2, 3),
        ("par-7.3.2-having", 2, 3),
        ("par-7.3.3-deployed", 1, 2),
        ("par-7.3.3-having", 1, 2),
        ("par-ii.1.d", 0, 5),
    ];
    assert_eq!(figures(TODAY, "2026"), expected);
    assert_eq!(
        figures(TODAY, "2026-04"),
        [
            ("nd224-online", 0, 1),
            ("par-3.4.1", 1, 1),
            ("par-3.4.5-3", 0, 1),
            ("par-7.2.2", 0, 1),
            ("par-7.2.2-level-3", 0, 1),
            ("par-7.2.2-level-4", 0, 1),
            ("par-7.3.2-deployed", 1, 1),
            ("par-7.3.2-having", 1, 1),
            ("par-7.3.3-deployed", 1, 1),
            ("par-7.3.3-having", 1, 1),
            ("par-ii.1.d", 0, 1),
        ]
    );
    assert_eq!(figures(TODAY, "2026-Q2"), figures(TODAY, "2026-04"));
}

#[test]
fn figures_of_the_year_as_of_an_earlier_evening() {
    // The late dossier's result is not yet returned, the dossier of April is not yet there, the waybill is withdrawn.
    assert_eq!(
        figures(date(2026, 3, 31), "2026"),
        [
            ("nd224-online", 2, 4),
            ("par-3.4.1", 1, 2),
            ("par-3.4.3", 1, 2),
            ("par-3.4.4", 0, 2),
            ("par-3.4.4-late", 0, 2),
            ("par-3.4.4-stated", 0, 2),
            ("par-3.4.5-3", 0, 4),
            ("par-7.2.2", 2, 4),
            ("par-7.2.2-level-3", 1, 4),
            ("par-7.2.2-level-4", 1, 4),
            ("par-7.3.2-deployed", 1, 2),
            ("par-7.3.2-having", 1, 2),
            ("par-7.3.3-deployed", 0, 1),
            ("par-ii.1.d", 0, 4),
        ]
    );
    // On the Saturday the waybill was still valid: one more dossier was handed in by post.
    let saturday = figures(date(2026, 3, 7), "2026");
    assert!(saturday.contains(&("par-7.3.2-having", 2, 4)), "{saturday:?}");
}

/// Three dossiers of a department: one ended without a date, one states no channel and was returned on time, one waits for
/// a supplement. Nobody has seen the lists of the post.
#[test]
fn what_the_portal_does_not_state_is_unknown() {
    let of_department = |number, style| Dossier {
        style,
        due: Some(on(3, 9, 17, 0, 0)),
        ..dossier(number, DEPARTMENT, FIVE_DAYS, Channel::Online, on(3, 2, 9, 0, 1))
    };
    let mut undated = of_department(0, 1);
    (undated.ending, undated.ended) = (Ending::DoneWithoutDate, Some(on(3, 6, 9, 0, 0)));
    let mut without_channel = of_department(1, 28 << 10);
    (without_channel.ending, without_channel.ended) = (Ending::Done, Some(on(3, 6, 9, 0, 0)));
    without_channel.returned = Some(on(3, 6, 10, 0, 0));
    let mut waiting = of_department(2, 1);
    waiting.supplement = Some(Supplement { requested: on(3, 3, 9, 0, 0), provided: None });
    let registry = Registry::read(&REGISTRIES).expect("the registries are well formed");
    let truth = Province::new(registry, vec![undated, without_channel, waiting], Vec::new(), TODAY).truth(TODAY);
    let of_province = |figure: &&TruthFigure| figure.scope == TruthScope::Province && figure.period == "2026";
    let counts = |figure: &TruthFigure| {
        (figure.indicator, [figure.numerator, figure.denominator, figure.unknown, figure.undecided])
    };
    let found: Vec<_> = truth.figures.iter().filter(of_province).map(counts).collect();
    let expected = [
        ("nd224-online", [2, 3, 1, 0]),
        ("par-3.4.1", [1, 3, 1, 0]),
        // The waiting one is overdue; whether the undated one is late is not known.
        ("par-3.4.4", [0, 1, 0, 1]),
        ("par-3.4.4-late", [0, 1, 0, 1]),
        ("par-3.4.4-stated", [0, 1, 0, 1]),
        ("par-3.4.5-3", [0, 3, 2, 0]),
        ("par-7.2.2", [2, 3, 1, 0]),
        ("par-7.2.2-level-3", [2, 3, 1, 0]),
        ("par-7.2.2-level-4", [0, 3, 0, 0]),
        ("par-7.3.2-deployed", [0, 3, 1, 0]),
        ("par-7.3.2-having", [0, 0, 0, 3]),
        ("par-7.3.3-deployed", [0, 1, 1, 0]),
        ("par-7.3.3-having", [0, 0, 0, 1]),
        ("par-ii.1.d", [0, 3, 3, 0]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn tiers_and_agencies_add_up_and_vertical_agencies_are_absent() {
    let truth = province().truth(TODAY);
    assert_eq!((truth.dossiers_sent, truth.rejected_dossiers, truth.rejected_waybills), (7, 1, 2));
    assert_eq!((truth.waybills_sent, truth.rejected_rows), (5, 3));
    assert!(!truth.figures.iter().any(|figure| figure.scope == TruthScope::Agency("H61.90".to_owned())));
    let online = |scope: TruthScope| {
        let mut of = truth.figures.iter().filter(|figure| figure.indicator == "par-7.2.2" && figure.period == "2026");
        of.find(|figure| figure.scope == scope).map(|figure| (figure.numerator, figure.denominator))
    };
    assert_eq!(online(TruthScope::Tier("province")), Some((1, 3)));
    assert_eq!(online(TruthScope::Tier("commune")), Some((1, 2)));
    assert_eq!(online(TruthScope::Agency("H61.14".to_owned())), Some((1, 3)));
    assert_eq!(online(TruthScope::Agency("H61.31".to_owned())), Some((1, 2)));
}

#[test]
fn the_export_has_the_layout_of_the_post() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let files = province().write_exports(folder.path(), date(2026, 3, 9)).expect("the folder can be written");
    assert_eq!(files, [folder.path().join("bcci-2026-03-09.csv")]);
    let text = std::fs::read_to_string(&files[0]).expect("the file was just written");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with('\u{feff}'));
    assert_eq!(
        lines[2..6],
        [
            "STT;Mã vận đơn;Mã hồ sơ;Mã TTHC;Đơn vị;Loại dịch vụ;Ngày chấp nhận;Ngày phát;Trạng thái;Phí thu hộ",
            "1;EP000000014VN;H61.14-260302-0000;1.000001;Sở mẫu A;Tiếp nhận hồ sơ;02/03/2026 08:00;;Đang vận chuyển;30.000",
            "2;EP000000031VN;H61.31-260307-0003;2.000002;Xã mẫu Một;Tiếp nhận hồ sơ;07/03/2026 08:00;;Hủy;30.000",
            "Tổng cộng;;;;;;;;;60.000",
        ]
    );
}

#[test]
fn the_completed_date_may_appear_weeks_after_the_status() {
    let ended = on(3, 9, 16, 0, 0);
    let mut late = dossier(0, DEPARTMENT, FIVE_DAYS, Channel::Counter, on(3, 2, 9, 0, 1));
    (late.ended, late.style) = (Some(ended), 7);
    let shown = |dossier: &Dossier, at| dossier.shown(at).map(|shown| (shown.status, shown.completed));
    // Thirty days later, to the second.
    let recorded = on(4, 8, 16, 0, 0);
    assert_eq!(shown(&late, ended - 1), Some((2, None)));
    assert_eq!(shown(&late, recorded - 1), Some((4, None)));
    assert_eq!(shown(&late, recorded), Some((4, Some(ended))));
    assert_eq!(late.last_change(recorded), recorded);
    // Returned a day later: the completed date appears at the same moment.
    late.returned = Some(on(3, 10, 16, 0, 0));
    assert_eq!(shown(&late, on(3, 10, 15, 59, 59)), Some((4, None)));
    assert_eq!(shown(&late, on(3, 10, 16, 0, 0)), Some((5, Some(ended))));
    // With another style the completed date appears at once.
    late.style = 8;
    assert_eq!(shown(&late, ended), Some((4, Some(ended))));
}
