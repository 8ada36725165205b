//! A table of dossiers for timing: seeded, spread over the registry's agencies and five years.

use motcua::config::Configuration;
use motcua::lake::Lake;
use motcua::model::instant::{DAY_MICROS, from_local};
use motcua::model::procedure::Offerer;
use motcua::model::record::{Record, Value};
use motcua::model::table::RecordKind;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// Days that receptions are spread over.
const DAYS: i64 = 5 * 365;
const BATCH: usize = 100_000;

/// Writes `count` dossiers and one postal item for every tenth.
pub(crate) async fn write(lake: &Lake, config: &Configuration, count: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut dossiers = lake.version_writer(RecordKind::Dossiers, "bench", 1);
    let mut items = lake.version_writer(RecordKind::PostalItems, "bench-post", 1);
    let mut written = 0;
    while written < count {
        let size = BATCH.min(count - written);
        let rows: Vec<_> = (written..written + size).map(|number| dossier(&mut random, config, number)).collect();
        dossiers.write(&rows).unwrap();
        let posted: Vec<_> = (written..written + size).step_by(10).map(item).collect();
        items.write(&posted).unwrap();
        written += size;
    }
    dossiers.commit().await.unwrap();
    items.commit().await.unwrap();
    lake.update_image(RecordKind::Dossiers).await.unwrap();
    lake.update_image(RecordKind::PostalItems).await.unwrap();
}

/// Writes a second source, with a copy of every tenth of `count` dossiers.
pub(crate) async fn write_copies(lake: &Lake, count: usize) {
    let mut copies = lake.version_writer(RecordKind::Dossiers, "bench-ministry", 2);
    let numbers: Vec<usize> = (0..count).step_by(10).collect();
    for numbers in numbers.chunks(BATCH) {
        let rows: Vec<_> = numbers.iter().map(|number| copy(*number)).collect();
        copies.write(&rows).unwrap();
    }
    copies.commit().await.unwrap();
    lake.update_image(RecordKind::Dossiers).await.unwrap();
}

fn copy(number: usize) -> (Record, String) {
    let received = from_local(jiff::civil::date(2024, 3, 1).at(9, 0, 0, 0));
    let values = [
        ("source_key", text(format!("m{number:09}"))),
        ("dossier_code", text(format!("G09.20-20240301-{number:08}"))),
        ("national_code", text(code(number))),
        ("received_at", Value::Instant(received)),
    ];
    (record(RecordKind::Dossiers, number, &values), part(received))
}

fn record(kind: RecordKind, number: usize, values: &[(&str, Value)]) -> Record {
    let mut row = vec![Value::Null; kind.columns().len()];
    for (name, value) in values {
        row[kind.column_index(name).unwrap()] = value.clone();
    }
    let place = u32::try_from(number).unwrap();
    Record { values: row, digest: number as u128, page: 1, row: place, issues: Vec::new(), row_hash: None }
}

fn text(text: impl AsRef<str>) -> Value {
    Value::Text(text.as_ref().into())
}

fn code(number: usize) -> String {
    format!("H61.{:02}-250101-{number:08}", number % 90)
}

fn part(received: i64) -> String {
    let day = motcua::model::instant::local(received).date();
    format!("{:04}-{:02}", day.year(), day.month())
}

fn dossier(random: &mut ChaCha8Rng, config: &Configuration, number: usize) -> (Record, String) {
    let registries = &config.registries;
    let offer = &registries.offers[random.random_range(0..registries.offers.len())];
    let agency = match &offer.offerer {
        Offerer::Agency(code) => code.clone(),
        Offerer::Tier(tier) => {
            let of_tier: Vec<_> = registries.agencies.iter().filter(|agency| agency.tier == *tier).collect();
            of_tier[random.random_range(0..of_tier.len())].code.clone()
        }
    };
    let first = from_local(jiff::civil::date(2021, 10, 1).at(8, 0, 0, 0));
    let received = first + random.random_range(0..DAYS) * DAY_MICROS + random.random_range(0..9 * 3600) * 1_000_000;
    let due = received + random.random_range(1..20) * DAY_MICROS;
    let completed = received + random.random_range(0..22) * DAY_MICROS;
    let channel = ["counter", "online", "postal"][[0, 0, 0, 1, 1, 1, 1, 2][random.random_range(0..8)]];
    let open = random.random_range(0..50) == 0;
    let or_null = |absent: bool, instant: i64| if absent { Value::Null } else { Value::Instant(instant) };
    let values = [
        ("source_key", text(format!("{number:024x}"))),
        ("dossier_code", text(code(number))),
        ("procedure_code", text(&offer.procedure)),
        ("competent_agency", text(agency)),
        ("service_level", text(["information", "partial", "full"][random.random_range(0..3)])),
        ("submission_channel", text(channel)),
        ("returned_by", text(if random.random_range(0..10) == 0 { "postal" } else { "counter" })),
        ("status", text(if open { "processing" } else { "completed" })),
        ("submitted_at", Value::Instant(received - 3_600_000_000)),
        ("received_at", Value::Instant(received)),
        ("due_at", or_null(random.random_range(0..20) == 0, due)),
        ("completed_at", or_null(open, completed)),
        ("returned_at", or_null(open, completed + DAY_MICROS)),
    ];
    (record(RecordKind::Dossiers, number, &values), part(received))
}

fn item(number: usize) -> (Record, String) {
    let accepted = from_local(jiff::civil::date(2024, 3, 1).at(9, 0, 0, 0));
    let values = [
        ("source_key", text(format!("EP{number:09}VN"))),
        ("item_code", text(format!("EP{number:09}VN"))),
        ("dossier_code", text(code(number))),
        ("direction", text(if number.is_multiple_of(20) { "submission" } else { "return" })),
        ("accepted_at", Value::Instant(accepted)),
        ("status", text("delivered")),
    ];
    (record(RecordKind::PostalItems, number, &values), part(accepted))
}
