//! A small invented province: its registries, its calendar, and rows of each table.

use jiff::civil::{Date, date, time};
use motcua::model::agency::{Agency, AgencyKind, Tier};
use motcua::model::day::{CalendarDay, DayKind};
use motcua::model::instant;
use motcua::model::procedure::{Offer, Offerer, Procedure, TimeUnit};
use motcua::model::table::{ColumnType, PROVENANCE, RecordKind};
use polars::prelude::{Column, DataFrame, DataType, IntoLazy as _, LazyFrame, TimeUnit as Resolution, TimeZone};

/// The columns of a dossier that figures use. Instants are in microseconds UTC.
#[derive(Debug, Clone, Default)]
pub(super) struct Dossier {
    pub(super) code: Option<String>,
    pub(super) national: Option<String>,
    pub(super) others: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) lead: Option<String>,
    pub(super) competent: Option<String>,
    pub(super) receiving: Option<String>,
    pub(super) procedure: Option<String>,
    pub(super) level: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) return_requested: Option<String>,
    pub(super) returned_by: Option<String>,
    pub(super) status: Option<String>,
    pub(super) submitted: Option<i64>,
    pub(super) received: Option<i64>,
    pub(super) due: Option<i64>,
    pub(super) first_due: Option<i64>,
    pub(super) apology_due: Option<i64>,
    /// The history of the due date, as the image keeps it.
    pub(super) known_first: Option<i64>,
    pub(super) explained: Option<i64>,
    pub(super) completed: Option<i64>,
    pub(super) returned: Option<i64>,
    pub(super) refused: Option<i64>,
    pub(super) withdrawn: Option<i64>,
    pub(super) stopped: Option<i64>,
    pub(super) handling: Option<String>,
    pub(super) supplements: Option<i64>,
    pub(super) asked: Option<i64>,
    pub(super) supplied: Option<i64>,
    pub(super) apology: Option<i64>,
    pub(super) apology_number: Option<String>,
    pub(super) certification: Option<bool>,
    pub(super) deleted: Option<bool>,
}

/// A postal item.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    pub(super) key: Option<String>,
    /// Rows with one code and one dossier are one item.
    pub(super) code: Option<String>,
    pub(super) dossier: Option<String>,
    pub(super) direction: Option<String>,
    pub(super) accepted: Option<i64>,
    pub(super) delivered: Option<i64>,
    pub(super) withdrawn: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) deleted: Option<bool>,
}

enum Cell {
    Text(Option<String>),
    Instant(Option<i64>),
    Flag(Option<bool>),
    Integer(Option<i64>),
}

impl Dossier {
    /// The first due date that the image knows: the source's own counts if the row names no other.
    pub(super) fn first_known(&self) -> Option<i64> {
        self.known_first.or(self.first_due)
    }

    fn cell(&self, column: &str) -> Option<Cell> {
        let text = |value: &Option<String>| Some(Cell::Text(value.clone()));
        match column {
            "source" => Some(Cell::Text(Some("test".to_owned()))),
            "source_key" | "dossier_code" => text(&self.code),
            "national_code" => text(&self.national),
            "other_codes" => text(&self.others),
            "parent_code" => text(&self.parent),
            "lead_agency" => text(&self.lead),
            "competent_agency" => text(&self.competent),
            "receiving_agency" => text(&self.receiving),
            "procedure_code" => text(&self.procedure),
            "service_level" => text(&self.level),
            "submission_channel" => text(&self.channel),
            "return_requested" => text(&self.return_requested),
            "returned_by" => text(&self.returned_by),
            "status" => text(&self.status),
            "submitted_at" => Some(Cell::Instant(self.submitted)),
            "received_at" => Some(Cell::Instant(self.received)),
            "due_at" => Some(Cell::Instant(self.due)),
            "first_due_at" => Some(Cell::Instant(self.first_due)),
            "apology_new_due_at" => Some(Cell::Instant(self.apology_due)),
            "known_first_due_at" => Some(Cell::Instant(self.first_known())),
            "explained_due_at" => Some(Cell::Instant(self.explained)),
            "completed_at" => Some(Cell::Instant(self.completed)),
            "returned_at" => Some(Cell::Instant(self.returned)),
            "refused_at" => Some(Cell::Instant(self.refused)),
            "withdrawn_at" => Some(Cell::Instant(self.withdrawn)),
            "stopped_at" => Some(Cell::Instant(self.stopped)),
            "handling_agency" => text(&self.handling),
            "supplement_requests" => Some(Cell::Integer(self.supplements)),
            "supplement_requested_at" => Some(Cell::Instant(self.asked)),
            "supplement_received_at" => Some(Cell::Instant(self.supplied)),
            "apology_at" => Some(Cell::Instant(self.apology)),
            "apology_number" => text(&self.apology_number),
            "certification" => Some(Cell::Flag(self.certification)),
            "deleted" => Some(Cell::Flag(self.deleted)),
            _ => None,
        }
    }
}

impl Item {
    fn cell(&self, column: &str) -> Option<Cell> {
        match column {
            "source_key" => Some(Cell::Text(self.key.clone())),
            "dossier_code" => Some(Cell::Text(self.dossier.clone())),
            "item_code" => Some(Cell::Text(self.code.clone())),
            "direction" => Some(Cell::Text(self.direction.clone())),
            "status" => Some(Cell::Text(self.status.clone())),
            "accepted_at" => Some(Cell::Instant(self.accepted)),
            "delivered_at" => Some(Cell::Instant(self.delivered)),
            "withdrawn_at" => Some(Cell::Instant(self.withdrawn)),
            "deleted" => Some(Cell::Flag(self.deleted)),
            _ => None,
        }
    }
}

pub(super) fn dossiers_table(rows: &[Dossier]) -> LazyFrame {
    table(RecordKind::Dossiers, rows, Dossier::cell)
}

pub(super) fn items_table(rows: &[Item]) -> LazyFrame {
    let numbered: Vec<(usize, &Item)> = rows.iter().enumerate().collect();
    table(RecordKind::PostalItems, &numbered, |(number, item), column| match column {
        "source" => Some(Cell::Text(Some(format!("post-{}", number % 2)))),
        "source_key" => Some(Cell::Text(Some(number.to_string()))),
        column => item.cell(column),
    })
}

/// A feedback (phản ánh, kiến nghị). Instants are in microseconds UTC.
#[derive(Debug, Clone, Default)]
pub(super) struct Feedback {
    pub(super) subject: Option<String>,
    pub(super) agency: Option<String>,
    pub(super) received: Option<i64>,
    pub(super) due: Option<i64>,
    pub(super) handled: Option<i64>,
    pub(super) outcome: Option<String>,
    pub(super) answered: Option<i64>,
    pub(super) published: Option<i64>,
    pub(super) deleted: Option<bool>,
}

impl Feedback {
    fn cell(&self, column: &str) -> Option<Cell> {
        match column {
            "subject" => Some(Cell::Text(self.subject.clone())),
            "agency" => Some(Cell::Text(self.agency.clone())),
            "received_at" => Some(Cell::Instant(self.received)),
            "due_at" => Some(Cell::Instant(self.due)),
            "handled_at" => Some(Cell::Instant(self.handled)),
            "outcome" => Some(Cell::Text(self.outcome.clone())),
            "answered_at" => Some(Cell::Instant(self.answered)),
            "published_at" => Some(Cell::Instant(self.published)),
            "deleted" => Some(Cell::Flag(self.deleted)),
            _ => None,
        }
    }
}

pub(super) fn feedback_table(rows: &[Feedback]) -> LazyFrame {
    table(RecordKind::Feedback, rows, Feedback::cell)
}

/// A measure. `entered` is in microseconds UTC.
#[derive(Debug, Clone, Default)]
pub(super) struct Measure {
    pub(super) indicator: Option<String>,
    pub(super) agency: Option<String>,
    pub(super) period: Option<String>,
    /// Numerator and denominator.
    pub(super) counts: [Option<i64>; 2],
    pub(super) entered: Option<i64>,
    pub(super) deleted: Option<bool>,
}

impl Measure {
    fn cell(&self, column: &str) -> Option<Cell> {
        match column {
            "indicator" => Some(Cell::Text(self.indicator.clone())),
            "agency" => Some(Cell::Text(self.agency.clone())),
            "period" => Some(Cell::Text(self.period.clone())),
            "numerator" => Some(Cell::Integer(self.counts[0])),
            "denominator" => Some(Cell::Integer(self.counts[1])),
            "entered_at" => Some(Cell::Instant(self.entered)),
            "deleted" => Some(Cell::Flag(self.deleted)),
            _ => None,
        }
    }
}

pub(super) fn measures_table(rows: &[Measure]) -> LazyFrame {
    table(RecordKind::Measures, rows, Measure::cell)
}

/// A note on a dossier. Instants are in microseconds UTC.
#[derive(Debug, Clone, Default)]
pub(super) struct Note {
    pub(super) dossier: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) number: Option<String>,
    pub(super) apology: Option<i64>,
    pub(super) new_due: Option<i64>,
    pub(super) deleted: Option<bool>,
}

impl Note {
    fn cell(&self, column: &str) -> Option<Cell> {
        match column {
            "dossier_code" => Some(Cell::Text(self.dossier.clone())),
            "late_cause" => Some(Cell::Text(self.cause.clone())),
            "apology_number" => Some(Cell::Text(self.number.clone())),
            "apology_at" => Some(Cell::Instant(self.apology)),
            "apology_new_due_at" => Some(Cell::Instant(self.new_due)),
            "deleted" => Some(Cell::Flag(self.deleted)),
            _ => None,
        }
    }
}

pub(super) fn notes_table(rows: &[Note]) -> LazyFrame {
    table(RecordKind::DossierNotes, rows, Note::cell)
}

/// The five tables of dossiers and postal items alone: dossiers, postal items, feedback, measures, notes.
pub(super) fn tables(dossiers: &[Dossier], items: &[Item]) -> [LazyFrame; 5] {
    [dossiers_table(dossiers), items_table(items), feedback_table(&[]), measures_table(&[]), notes_table(&[])]
}

/// A table with every column of its image. Columns that the test's rows do not have are null.
fn table<T>(kind: RecordKind, rows: &[T], cell: impl Fn(&T, &str) -> Option<Cell>) -> LazyFrame {
    let own = kind.columns().iter().map(|column| (column.name, column.column_type));
    let added = PROVENANCE.iter().chain(kind.derived_columns()).copied();
    let columns = own.chain(added).map(|(name, column_type)| {
        let cells = rows.iter().map(|row| cell(row, name));
        match column_type {
            ColumnType::Text => {
                let text = |cell| if let Some(Cell::Text(value)) = cell { value } else { None };
                Column::new(name.into(), cells.map(text).collect::<Vec<Option<String>>>())
            }
            ColumnType::Flag => {
                let flag = |cell| if let Some(Cell::Flag(value)) = cell { value } else { None };
                Column::new(name.into(), cells.map(flag).collect::<Vec<Option<bool>>>())
            }
            ColumnType::Integer => {
                let number = |cell| if let Some(Cell::Integer(value)) = cell { value } else { None };
                Column::new(name.into(), cells.map(number).collect::<Vec<Option<i64>>>())
            }
            ColumnType::Instant => {
                let micros = |cell| if let Some(Cell::Instant(value)) = cell { value } else { None };
                let numbers = Column::new(name.into(), cells.map(micros).collect::<Vec<Option<i64>>>());
                let instants = DataType::Datetime(Resolution::Microseconds, Some(TimeZone::UTC));
                numbers.cast(&instants).expect("numbers are instants")
            }
        }
    });
    DataFrame::new(rows.len(), columns.collect()).expect("columns of the same length").lazy()
}

/// The instant of a local time in Việt Nam, such as `2025-04-30T17:00`.
pub(super) fn at(text: &str) -> i64 {
    instant::from_local(text.parse().expect("a date and a time"))
}

fn agency(code: &str, name: &str, kind: AgencyKind, tier: Tier) -> Agency {
    Agency {
        code: code.to_owned(),
        other_codes: vec![format!("000.{code}")],
        name: name.to_owned(),
        aliases: vec![format!("{name} (cũ)")],
        kind,
        tier,
        vertical: false,
        parent: None,
        valid_from: None,
        valid_to: None,
    }
}

pub(super) fn agencies() -> Vec<Agency> {
    use AgencyKind::{Commune, District, ServiceCentre, Specialised};
    let (last, first) = (Some(date(2025, 6, 30)), Some(date(2025, 7, 1)));
    vec![
        agency("S1", "Sở mẫu A", Specialised, Tier::Province),
        Agency { vertical: true, ..agency("S2", "Cục mẫu B", Specialised, Tier::Province) },
        agency("S3", "Sở mẫu C", Specialised, Tier::Province),
        agency("TT", "Trung tâm mẫu", ServiceCentre, Tier::Province),
        Agency { valid_to: last, ..agency("D1", "Huyện mẫu D", District, Tier::District) },
        // Two communes with the same name, one after the other.
        Agency { valid_to: last, ..agency("X1", "Xã mẫu E", Commune, Tier::Commune) },
        Agency { valid_from: first, ..agency("X2", "Xã mẫu E", Commune, Tier::Commune) },
        agency("X3", "Xã mẫu G", Commune, Tier::Commune),
    ]
}

fn procedure(code: &str, statutory_time: Option<u32>, unit: TimeUnit) -> Procedure {
    Procedure {
        code: code.to_owned(),
        name: format!("Thủ tục {code}"),
        sector: "LV".to_owned(),
        statutory_time,
        unit,
        cut_off: time(15, 0, 0, 0),
        immediate: false,
        certification: false,
        vertical: false,
        valid_from: None,
        valid_to: None,
    }
}

pub(super) fn procedures() -> Vec<Procedure> {
    vec![
        procedure("1.000001", Some(3), TimeUnit::WorkingDays),
        Procedure { immediate: true, certification: true, ..procedure("1.000002", None, TimeUnit::WorkingDays) },
        Procedure { immediate: true, cut_off: time(10, 0, 0, 0), ..procedure("1.000003", Some(12), TimeUnit::Hours) },
        Procedure { vertical: true, ..procedure("1.000004", None, TimeUnit::WorkingDays) },
        procedure("1.000005", Some(12), TimeUnit::Hours),
        procedure("1.000006", Some(4), TimeUnit::CalendarDays),
    ]
}

pub(super) fn offer(procedure: &str, offerer: Offerer, level: Option<&str>, submission: bool, back: bool) -> Offer {
    Offer {
        procedure: procedure.to_owned(),
        offerer,
        online_level: level.map(str::to_owned),
        postal_submission: submission,
        postal_return: back,
        interlinked: None,
        group_code: None,
        role: None,
        at_one_stop: true,
        one_stop_exempt: false,
        list_1291: false,
        valid_from: None,
        valid_to: None,
    }
}

pub(super) fn offers() -> Vec<Offer> {
    let agency = |code: &str| Offerer::Agency(code.to_owned());
    let (last, first): (Option<Date>, _) = (Some(date(2025, 6, 30)), Some(date(2025, 7, 1)));
    vec![
        Offer {
            valid_to: last,
            interlinked: Some("same_level".to_owned()),
            ..offer("1.000001", agency("S1"), Some("partial"), true, false)
        },
        Offer { valid_from: first, ..offer("1.000001", agency("S1"), Some("full"), true, true) },
        Offer { one_stop_exempt: true, ..offer("1.000002", Offerer::Tier(Tier::Commune), Some("partial"), true, true) },
        // X3's own offer overrides that of its tier. It names no level, so the tier's level counts.
        Offer { interlinked: Some("between_levels".to_owned()), ..offer("1.000002", agency("X3"), None, false, true) },
        offer("1.000003", Offerer::Tier(Tier::Province), Some("full"), false, true),
        Offer { at_one_stop: false, ..offer("1.000003", agency("S3"), Some("information"), true, false) },
        Offer { list_1291: true, ..offer("1.000004", Offerer::Tier(Tier::Province), Some("full"), true, true) },
        Offer { valid_from: first, ..offer("1.000005", Offerer::Tier(Tier::Commune), Some("full"), true, true) },
    ]
}

/// Holidays of 2025: Tết, Reunification Day, Labour Day and National Day; with days off in exchange for worked
/// Saturdays.
pub(super) fn calendar() -> Vec<CalendarDay> {
    let special_days =
        |kind, days: &[Date]| -> Vec<CalendarDay> { days.iter().map(|&date| CalendarDay { date, kind }).collect() };
    let tet = [27, 28, 29, 30, 31].map(|day| date(2025, 1, day));
    let mut days = special_days(DayKind::Holiday, &tet);
    days.extend(special_days(
        DayKind::Holiday,
        &[date(2025, 4, 30), date(2025, 5, 1), date(2025, 9, 1), date(2025, 9, 2)],
    ));
    days.extend(special_days(DayKind::Compensation, &[date(2025, 5, 2), date(2026, 1, 2)]));
    days.extend(special_days(DayKind::Working, &[date(2025, 4, 26), date(2026, 1, 10)]));
    days
}
