#![expect(clippy::disallowed_methods, reason = "edge: the tests read the exports back")]
//! Properties of a drawn province.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::date;

use super::{TODAY, drawn};
use crate::simulator::post::check_digit;
use crate::simulator::working_days::{day_number, evening};
use crate::simulator::{
    Province, ProvinceSettings, RegistryTexts, SimulatorError, TRUE_INDICATORS, TruthScope, generate,
};

/// All records, exports and true figures, as text.
fn bytes(province: &Province) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut text = String::new();
    for dossier in &province.dossiers {
        if let Some(shown) = dossier.shown(evening(day_number(TODAY))) {
            province.render(&mut text, dossier, &shown);
        }
    }
    for file in province.write_exports(folder.path(), TODAY).expect("the folder can be written") {
        text += &std::fs::read_to_string(file).expect("the file was just written");
    }
    write!(text, "{:?}", province.truth(TODAY)).expect("a string takes everything");
    text
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let first = bytes(&drawn(1_500, 7));
    assert!(first == bytes(&drawn(1_500, 7)), "the same seed drew another province");
    assert!(first != bytes(&drawn(1_500, 8)), "another seed drew the same province");
}

#[test]
fn records_are_json_of_about_a_kilobyte_in_every_form() {
    let province = drawn(3_000, 1);
    let now = evening(day_number(TODAY));
    let mut forms: BTreeMap<&str, u32> = BTreeMap::new();
    for dossier in &province.dossiers {
        let Some(shown) = dossier.shown(now) else { continue };
        let mut text = String::new();
        province.render(&mut text, dossier, &shown);
        assert!((900..2_600).contains(&text.len()), "{} bytes: {text}", text.len());
        let record: serde_json::Value = serde_json::from_str(&text).expect("records are JSON");
        let former = dossier.due_change.map_or(dossier.due, |(_, due)| Some(due));
        let moves = |is_so: fn(Option<i64>, Option<i64>) -> bool| {
            dossier.due_moves.first().is_some_and(|(_, after)| is_so(former, *after))
        };
        let found = [
            ("status number", record["dossierStatus"].is_number()),
            ("status object", record["dossierStatus"]["id"].is_number()),
            ("translate list", record["procedure"]["translate"].is_array()),
            ("translate object", record["procedure"]["translate"].is_object()),
            ("agency name list", record["agency"]["name"].is_array()),
            ("agency name", record["agency"]["name"].is_string()),
            ("no agency code", record["agency"].get("code").is_none()),
            ("suffix", record["procedure"]["code"].as_str().is_some_and(|code| code.ends_with(".000.00.00.H61"))),
            ("utc", record["acceptedDate"].as_str().is_some_and(|at| at.ends_with("+0000"))),
            ("no due date", record["appointmentDate"].is_null()),
            ("date only", shown.due.is_some_and(|due| due % 86_400 == 0)),
            ("not accepted", shown.accepted.is_none()),
            ("supplement", shown.status == 1),
            ("no code", record.get("code").is_none()),
            ("impossible date", record["acceptedDate"].as_str().is_some_and(|at| at.contains("-02-31T25"))),
            ("no procedure code", record["procedure"].get("code").is_none()),
            ("twice", dossier.resend != crate::simulator::dossier::Resend::Once),
            ("corrected channel", dossier.channel_before.is_some()),
            ("changed due date", dossier.due_change.is_some()),
            ("due date moved later", moves(|before, after| after > before)),
            ("due date moved earlier", moves(|before, after| after.is_some() && after < before)),
            ("due date removed", moves(|_, after| after.is_none())),
            ("due date moved twice", dossier.due_moves.len() > 1),
            (
                "due before the reception",
                dossier.due.is_some_and(|due| dossier.accepted.is_some_and(|at| due < at - 86_400)),
            ),
            ("moved by an apology", dossier.apology.is_some()),
            ("no status", record["dossierStatus"].is_null()),
        ];
        for (form, seen) in found {
            *forms.entry(form).or_default() += u32::from(seen);
        }
    }
    assert!(forms.values().all(|&count| count > 0), "{forms:?}");
}

#[test]
fn ids_and_codes_are_distinct_and_few_dossiers_are_accepted_on_days_off() {
    let province = drawn(3_000, 2);
    let ids: BTreeSet<_> = province.dossiers.iter().map(|dossier| dossier.id).collect();
    let codes: BTreeSet<_> = province.dossiers.iter().map(|dossier| province.code(dossier)).collect();
    assert_eq!((ids.len(), codes.len()), (3_000, 3_000));
    let tet = day_number(date(2026, 2, 16))..=day_number(date(2026, 2, 22));
    let days = &province.registry.working_days;
    let mut saturdays = 0;
    for accepted in province.dossiers.iter().filter_map(|dossier| dossier.accepted) {
        let day = accepted.div_euclid(86_400);
        assert!(!tet.contains(&day));
        saturdays += u32::from(!days.is_working(day));
    }
    assert!((1..300).contains(&saturdays), "{saturdays} on days off");
}

#[test]
fn agencies_and_procedures_are_valid_and_offered_on_the_day() {
    let province = drawn(3_000, 3);
    for dossier in &province.dossiers {
        let day = dossier.accepted.unwrap_or(dossier.applied).div_euclid(86_400);
        let agency = dossier.agency as usize;
        assert!(province.registry.agency_validity[agency].contains(day), "{dossier:?}");
        assert!(province.registry.offer_on(agency, dossier.procedure as usize, day).is_some(), "{dossier:?}");
        let moments = [Some(dossier.applied), dossier.accepted, dossier.ended, dossier.returned];
        assert!(moments.iter().flatten().is_sorted(), "{dossier:?}");
    }
}

#[test]
fn item_codes_are_distinct_and_only_bad_rows_have_a_wrong_digit() {
    let province = drawn(3_000, 4);
    let codes: BTreeSet<String> = province.waybills.iter().map(super::super::post::Waybill::item_code).collect();
    assert_eq!(codes.len(), province.waybills.len());
    for item in &province.waybills {
        let right = item.item_code()[10..11] == check_digit(item.serial).to_string();
        assert_eq!(right, !item.wrong_digit);
    }
}

#[test]
fn every_waybill_of_an_evening_is_in_some_export_and_the_last_one_is_right() {
    let province = drawn(4_000, 5);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let day = date(2026, 3, 18);
    let now = evening(day_number(day));
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for file in province.write_exports(folder.path(), day).expect("the folder can be written") {
        let text = std::fs::read_to_string(file).expect("the file was just written");
        let mut rows =
            csv::ReaderBuilder::new().delimiter(b';').flexible(true).has_headers(false).from_reader(text.as_bytes());
        for row in rows.records().skip(3).map(|row| row.expect("exports parse")) {
            if &row[0] != "Tổng cộng" {
                last.insert(row[1].to_owned(), row[8].to_owned());
            }
        }
    }
    let known: Vec<_> = province.waybills.iter().filter(|item| item.accepted <= now).collect();
    assert_eq!(last.len(), known.len());
    assert_eq!(last.len() as u64, province.truth(day).waybills_sent);
    for item in known {
        let withdrawn = last[&item.item_code()] == "Hủy";
        assert_eq!(withdrawn, !item.is_valid(now), "{item:?}");
    }
}

#[test]
fn figures_of_agencies_add_up_to_the_province() {
    let truth = drawn(3_000, 6).truth(TODAY);
    let sum = |wanted: fn(&TruthScope) -> bool| {
        let of = truth.figures.iter().filter(|figure| figure.period == "2026" && wanted(&figure.scope));
        of.map(|figure| (figure.numerator, figure.denominator)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    };
    let province = sum(|scope| *scope == TruthScope::Province);
    assert_eq!(province, sum(|scope| matches!(scope, TruthScope::Tier(_))));
    assert_eq!(province, sum(|scope| matches!(scope, TruthScope::Agency(_))));
    assert!(truth.rejected_dossiers >= 3);
    let indicators: BTreeSet<_> = truth.figures.iter().map(|figure| figure.indicator).collect();
    assert_eq!(indicators.len(), TRUE_INDICATORS.len(), "{indicators:?}");
}

#[test]
fn registries_are_refused_with_their_line() {
    let agencies = "code,other_codes,name,aliases,kind,tier,vertical,parent,valid_from,valid_to,note\n\
                    H61.1,,Sở mẫu,,department,province,,,,,\n";
    let registries = RegistryTexts { agencies, ..super::REGISTRIES };
    let error = generate(&ProvinceSettings::new(TODAY), &registries).expect_err("there is no such kind");
    assert_eq!(error.to_string(), "reading `agencies.csv` line 2: unknown kind `department`");
    let registries =
        RegistryTexts { offers: &super::OFFERS[..super::OFFERS.find('\n').expect("has lines")], ..super::REGISTRIES };
    let error = generate(&ProvinceSettings::new(TODAY), &registries).expect_err("nothing is offered");
    assert!(matches!(error, SimulatorError::NothingOffered { .. }), "{error}");
}
