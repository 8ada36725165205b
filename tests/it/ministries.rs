//! Connectors beside the portal's: the software of two ministries, of whose dossiers some are the portal's too, lists of
//! measures, and petitions. Each gives the true figures through the real program.
#![expect(clippy::disallowed_methods, reason = "tests write the files of an office")]

use jiff::civil::{Date, date};
use motcua::simulator::{
    CLIENT_ID, CLIENT_SECRET, PETITION_TAGS, ProvinceSettings, RegistryTexts, SLD_KEY, TOKEN_PATH, generate,
};

use crate::office::{Office, Town, assert_same, true_figures};

/// The connectors whose figures are compared with the true ones here.
pub(crate) const CONNECTORS: [&str; 5] =
    ["ministry-dvcsync", "ministry-sld", "documents-csv", "sipas-csv", "pakn-vnpt"];

/// The evenings on which the sources are read.
const NIGHTS: [Date; 2] = [date(2025, 11, 17), date(2025, 11, 28)];
const REGISTRIES: RegistryTexts<'static> = RegistryTexts {
    agencies: include_str!("../../config/agencies.csv"),
    procedures: include_str!("../../config/procedures.csv"),
    offers: include_str!("../../config/procedure_offers.csv"),
    calendar: include_str!("../../config/calendar.csv"),
};

fn add(office: &Office, connector: &str) {
    let output = office.act(&["connectors", "add", connector]);
    assert!(output.status.success(), "{}", crate::office::said(&output));
    office.edit(&format!("connectors/{connector}/connector.toml"), |text| {
        let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("silent_after_days")).collect();
        without
            .join("\n")
            .replace("requests_per_second = 5.0", "requests_per_second = 1000.0")
            .replace("per_second = 10.0", "per_second = 1000.0")
            // The nights lie in the past, and windows end today.
            .replace("overlap_days = 3\n", "overlap_days = 3000\n")
            + "\n"
    });
}

/// A town of whose dossiers a ministry's software holds some, and some of them alone.
#[test]
fn a_province_with_a_ministry_gives_the_true_figures() {
    let settings = ProvinceSettings { dossiers: 700, seed: 17, today: NIGHTS[1], first: date(2025, 5, 5) };
    let province = generate(&settings, &REGISTRIES).expect("the shipped registries are sound").with_ministry();
    let town = Town::of(province.into());
    for connector in ["ministry-dvcsync", "ministry-sld"] {
        let mut office = Office::of(&town).lean();
        add(&office, connector);
        office.variables.extend([
            ("DVCSYNC_URL", town.url()),
            ("DVCSYNC_TOKEN_URL", format!("{}{TOKEN_PATH}", town.url())),
            ("DVCSYNC_CLIENT_ID", CLIENT_ID.to_owned()),
            ("DVCSYNC_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("SLD_URL", town.url()),
            ("SLD_KEY", SLD_KEY.to_owned()),
        ]);
        for night in NIGHTS {
            town.day.set(night);
            office.export(&town, night);
            office.run();
        }
        let truth = town.province.truth_after(&NIGHTS);
        assert_same(&office.figures(), &true_figures(&truth), connector);
    }
}

/// The measures of 7.1.2 and of the survey come from lists of their own, the others from the sheet.
#[test]
fn documents_and_survey_in_lists_of_their_own_give_the_true_figures() {
    let town = Town::new(200, 5, NIGHTS[1]);
    let mut office = Office::of(&town).lean();
    let lists = office.path().join("danh-sach");
    for (connector, variable, place) in [("documents-csv", "DOCUMENTS_FOLDER", 0), ("sipas-csv", "SIPAS_FOLDER", 1)] {
        add(&office, connector);
        let folder = lists.join(connector);
        std::fs::create_dir_all(&folder).expect("the scratch folder is writable");
        let written = town.province.write_documents_and_survey(&folder, NIGHTS[1]).expect("the lists can be written");
        std::fs::remove_file(&written[1 - place]).expect("it was written");
        office.variables.insert(variable, folder.display().to_string());
    }
    // The sheet no longer has those measures.
    let sheet = format!("so-lieu/so-lieu-{}.csv", NIGHTS[1]);
    office.edit(&sheet, |text| {
        let (kept, footers): (Vec<&str>, Vec<&str>) = text
            .lines()
            .filter(|line| !line.starts_with("sipas-") && !line.starts_with("par-7.1.2;"))
            .partition(|line| !line.starts_with("Tổng cộng"));
        assert_eq!(footers.len(), 1, "the sheet has its footer");
        format!("{}\r\nTổng cộng;;{};;;;\r\n", kept.join("\r\n"), kept.len() - 1)
    });
    office.run();
    assert_same(&office.figures(), &true_figures(&town.province.truth(NIGHTS[1])), "lists of their own");
    for connector in ["documents-csv", "sipas-csv"] {
        assert!(office.count(connector, "accepted") > 10, "{connector} has measures");
    }
}

/// The petitions of a 1022 system in the place of the office's own list.
#[test]
fn petitions_about_procedures_give_the_true_figures() {
    let town = Town::new(700, 23, NIGHTS[1]);
    let mut office = Office::of(&town).lean();
    std::fs::remove_dir_all(office.path().join("connectors/feedback")).expect("the connector was shipped");
    add(&office, "pakn-vnpt");
    office.variables.extend([
        ("PAKN_URL", town.url()),
        ("PAKN_TOKEN_URL", format!("{}{TOKEN_PATH}", town.url())),
        ("PAKN_CLIENT_ID", CLIENT_ID.to_owned()),
        ("PAKN_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
        ("PAKN_TAGS", PETITION_TAGS.to_owned()),
    ]);
    office.run();
    assert_same(&office.figures(), &true_figures(&town.province.truth(NIGHTS[1])), "petitions");
    let [accepted, quarantined] = office.counts("pakn-vnpt", ["accepted", "quarantined"]);
    assert!(accepted > 10, "there are petitions about procedures");
    assert_eq!(quarantined, 0, "the others were not sent");
}
