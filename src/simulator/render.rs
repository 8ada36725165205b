//! Writes a dossier as a JSON record of iGate (domain A.2, B.1), in the different forms that iGate uses.

use std::fmt::Write as _;

use crate::model::agency::Agency;
use crate::model::procedure::{Procedure, TimeUnit};
use crate::simulator::Province;
use crate::simulator::dossier::{Channel, Dossier, Flaw, Level, RecordState};
use crate::simulator::registry::Registry;
use crate::simulator::stated::applicant_name;
use crate::simulator::working_days::{AHEAD_SECS, Day, Moment, civil, day_number, day_of};

/// Names of the status numbers 0 to 6.
const STATUS: [&str; 7] =
    ["Mới đăng ký", "Yêu cầu bổ sung", "Đang xử lý", "Tạm dừng", "Có kết quả", "Đã trả kết quả", "Đã hủy"];

/// Name of a status by its number.
pub(super) fn status_name(number: u64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| STATUS.get(number)).copied().unwrap_or_default()
}

/// JSON that many dossiers share, rendered once.
#[derive(Debug)]
pub(super) struct JsonFragments {
    /// For each agency: with its name as a list, and as a string.
    agencies: Vec<[String; 2]>,
    /// For each agency, its code and its name as records write them.
    written_agencies: Vec<(Option<String>, String)>,
    /// For each procedure, the part after `code`: with translations as a list, and as an object.
    procedures: Vec<[String; 2]>,
    /// Prefix of the codes of each agency's dossiers.
    code_prefixes: Vec<String>,
    /// First day with the level names of NĐ 42/2022.
    new_levels_from: Day,
}

impl JsonFragments {
    pub(super) fn new(registry: &Registry) -> Self {
        let written_agencies: Vec<_> = (0..registry.agencies.len()).map(|row| written_agency(registry, row)).collect();
        let agencies =
            written_agencies.iter().enumerate().map(|(row, written)| agency(registry, row, written)).collect();
        let procedures = registry.procedures.iter().enumerate().map(|(row, known)| procedure(row, known)).collect();
        let code_prefixes = (0..registry.agencies.len()).map(|row| code_prefix(registry, row)).collect();
        let new_levels_from = day_number(jiff::civil::date(2022, 6, 1));
        Self { agencies, written_agencies, procedures, code_prefixes, new_levels_from }
    }

    /// Code and name of an agency as records write them; some are written by name alone.
    pub(super) fn written_agency(&self, agency: usize) -> (Option<&str>, &str) {
        let (code, name) = &self.written_agencies[agency];
        (code.as_deref(), name)
    }

    pub(super) fn code_prefix(&self, agency: usize) -> &str {
        &self.code_prefixes[agency]
    }
}

/// The agency's code if it has the form `H61.14` (domain A.6); for other codes one that only the portal uses.
fn code_prefix(registry: &Registry, row: usize) -> String {
    let code = &registry.agencies[row].code;
    let letters = code.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters == 1 && code.contains('H') && !code.contains('-') {
        return code.clone();
    }
    let group = registry.agency_group[row];
    format!("H61.{}.{:02}", 90 + group / 100, group % 100)
}

/// Text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Id of a registry row: 24 hex digits, the same in every run.
fn row_id(space: u32, row: usize) -> String {
    format!("5f{space:06x}{row:016x}")
}

/// How an agency is written in records: code and name. Some agencies are written with one of their other codes, some with
/// a name or alias alone, if no other agency has that code or name.
fn written_agency(registry: &Registry, row: usize) -> (Option<String>, String) {
    let known = &registry.agencies[row];
    let others = || registry.agencies.iter().filter(|other| other.code != known.code);
    let is_unique = |name: &str| {
        let lower = name.to_lowercase();
        !others().any(|other| names(other).any(|taken| taken.to_lowercase() == lower))
    };
    let other_code =
        known.other_codes.iter().find(|code| !others().any(|other| codes(other).any(|taken| taken == *code)));
    let group = registry.agency_group[row];
    let (code, name) = match (group % 5, other_code) {
        (1, Some(other)) => (Some(other), &known.name),
        (3, _) => {
            let shown = known.aliases.first().filter(|_| group % 2 == 1).unwrap_or(&known.name);
            if is_unique(shown) { (None, shown) } else { (Some(&known.code), &known.name) }
        }
        _ => (Some(&known.code), &known.name),
    };
    (code.cloned(), name.clone())
}

/// JSON of an agency: with its name as a list, and as a string.
fn agency(registry: &Registry, row: usize, (code, name): &(Option<String>, String)) -> [String; 2] {
    let (id, parent) = (row_id(0xb1, registry.agency_group[row]), row_id(0xb0, 0));
    let code = code.as_ref().map(|code| format!("\"code\":{},", quoted(code))).unwrap_or_default();
    let name = quoted(name);
    let tail = format!(
        "\"parent\":{{\"id\":\"{parent}\"}},\"ancestors\":[{{\"id\":\"{parent}\"}}],\"tag\":[\"{}\"]}}",
        registry.agencies[row].tier.name()
    );
    [
        format!("{{\"id\":\"{id}\",{code}\"name\":[{{\"languageId\":228,\"name\":{name}}}],{tail}"),
        format!("{{\"id\":\"{id}\",{code}\"name\":{name},{tail}"),
    ]
}

fn names(agency: &Agency) -> impl Iterator<Item = &str> {
    std::iter::once(agency.name.as_str()).chain(agency.aliases.iter().map(String::as_str))
}

fn codes(agency: &Agency) -> impl Iterator<Item = &String> {
    std::iter::once(&agency.code).chain(&agency.other_codes)
}

fn procedure(row: usize, known: &Procedure) -> [String; 2] {
    let name = quoted(&known.name);
    let sector = quoted(&known.sector);
    let tail = format!(
        "\"sector\":{{\"id\":\"{}\",\"code\":{sector},\"name\":[{{\"languageId\":228,\"name\":{sector}}}]}}}}",
        row_id(0xaa, row)
    );
    let english = format!("{{\"languageId\":46,\"name\":{}}}", quoted(&format!("Procedure {}", known.code)));
    [
        format!("\"translate\":[{{\"languageId\":228,\"name\":{name}}},{english}],{tail}"),
        format!("\"translate\":{{\"languageId\":228,\"name\":{name}}},{tail}"),
    ]
}

/// Writes to a `String`, which cannot fail.
macro_rules! put {
    ($out:expr, $($text:tt)*) => { write!($out, $($text)*).expect("a string takes everything") };
}

impl Province {
    /// Appends the record of a dossier in a given state.
    pub(super) fn render(&self, out: &mut String, dossier: &Dossier, shown: &RecordState) {
        let style = dossier.style;
        out.push_str("{\"id\":\"");
        for byte in dossier.id {
            put!(out, "{byte:02x}");
        }
        out.push('"');
        if dossier.flaw != Some(Flaw::NoCode) {
            put!(out, ",\"code\":\"{}\"", self.code(dossier));
        }
        out.push_str(",\"nationCode\":null,");
        self.procedure(out, dossier);
        let name_form = usize::from(style >> 3 & 1 == 1);
        match dossier.flaw {
            Some(Flaw::NoAgency) => out.push_str(",\"agency\":null"),
            _ => put!(out, ",\"agency\":{}", self.fragments.agencies[dossier.agency as usize][name_form]),
        }
        let mut dates = Dates { out: &mut *out, style, field: 0 };
        dates.put("appliedDate", dossier.recorded_hand_in());
        if dossier.flaw == Some(Flaw::ImpossibleDate) {
            let day = civil(dossier.applied).date();
            put!(dates.out, ",\"acceptedDate\":\"{:04}-02-31T25:61:00.000+0700\"", day.year());
        } else {
            dates.put("acceptedDate", shown.accepted);
        }
        dates.put("appointmentDate", shown.due);
        dates.put("completedDate", shown.completed);
        dates.put("returnedDate", shown.returned);
        self.channel_and_level(out, dossier, shown);
        status(out, dossier, shown);
        let known = &self.registry.procedures[dossier.procedure as usize];
        let unit = if known.unit == TimeUnit::Hours { "h" } else { "d" };
        let time = known.statutory_time.map_or_else(|| "null".to_owned(), |time| time.to_string());
        put!(
            out,
            ",\"extendTime\":0,\"procedureProcessDefinition\":{{\"processDefinition\":{{\"processingTime\":{time},\
             \"processingTimeUnit\":\"{unit}\",\"timesheet\":{{\"id\":\"{}\"}}}}}}",
            row_id(0xcc, 1)
        );
        applicant(out, dossier);
        out.push('}');
    }

    fn procedure(&self, out: &mut String, dossier: &Dossier) {
        let row = dossier.procedure as usize;
        put!(out, "\"procedure\":{{\"id\":\"{}\"", row_id(0x01, row));
        let code = &self.registry.procedures[row].code;
        match dossier.flaw {
            Some(Flaw::NoProcedureCode) => {}
            Some(Flaw::GarbledProcedureCode) => put!(out, ",\"code\":\"TTHC?{}#\"", code.replace('.', "_")),
            _ if dossier.style & 1 == 0 => put!(out, ",\"code\":\"{code}\""),
            _ => put!(out, ",\"code\":\"{code}.000.00.00.H61\""),
        }
        put!(out, ",{}", self.fragments.procedures[row][usize::from(dossier.style >> 1 & 1 == 1)]);
    }

    fn channel_and_level(&self, out: &mut String, dossier: &Dossier, shown: &RecordState) {
        let (method, name) = match shown.channel {
            Channel::Online => (0, "Trực tuyến"),
            Channel::Counter => (1, "Trực tiếp"),
            Channel::Postal => (2, "Bưu chính công ích"),
        };
        if dossier.states_channel() {
            put!(out, ",\"applyMethod\":{{\"id\":{method},\"name\":\"{name}\"}}");
        } else {
            out.push_str(",\"applyMethod\":null");
        }
        let (kind, name) = match dossier.channel {
            _ if dossier.return_by_post => (2, "Nhận qua bưu điện"),
            Channel::Online if dossier.style >> 4 & 1 == 1 => (3, "Nhận trực tuyến"),
            _ => (1, "Nhận trực tiếp"),
        };
        put!(out, ",\"dossierReceivingKind\":{{\"id\":\"{}\",\"name\":\"{name}\"}}", row_id(0xd0, kind));
        let has_new_names = day_of(dossier.applied) >= self.fragments.new_levels_from;
        let (id, name) = match dossier.level {
            None => {
                out.push_str(",\"procedureLevel\":null");
                return;
            }
            Some(Level::Information) => ("l2", if has_new_names { "Cung cấp thông tin" } else { "Mức độ 2" }),
            Some(Level::Partial) => ("l3", if has_new_names { "Một phần" } else { "Mức độ 3" }),
            Some(Level::Full) => ("l4", if has_new_names { "Toàn trình" } else { "Mức độ 4" }),
        };
        put!(out, ",\"procedureLevel\":{{\"id\":\"{id}\",\"name\":\"{name}\"}}");
    }
}

/// Writes date fields, each in UTC or in local time.
struct Dates<'out> {
    out: &'out mut String,
    style: u32,
    field: u32,
}

impl Dates<'_> {
    fn put(&mut self, name: &str, moment: Option<Moment>) {
        self.field += 1;
        let Some(moment) = moment else {
            put!(self.out, ",\"{name}\":null");
            return;
        };
        let utc = (self.style >> 5).wrapping_add(self.field * 5).is_multiple_of(3);
        let (at, offset) = if utc { (civil(moment - AHEAD_SECS), "+0000") } else { (civil(moment), "+0700") };
        put!(
            self.out,
            ",\"{name}\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000{offset}\"",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        );
    }
}

fn status(out: &mut String, dossier: &Dossier, shown: &RecordState) {
    let name = STATUS[usize::from(shown.status)];
    if dossier.is_silent {
        out.push_str(",\"dossierStatus\":null");
    } else if dossier.style >> 2 & 1 == 1 {
        put!(out, ",\"dossierStatus\":{}", shown.status);
    } else {
        put!(out, ",\"dossierStatus\":{{\"id\":{},\"name\":\"{name}\"}}", shown.status);
    }
    let step = match (shown.status, shown.refused) {
        (0, _) => "Chờ tiếp nhận",
        (6, true) => "Từ chối giải quyết",
        (6, false) => "Công dân rút hồ sơ",
        (4 | 5, _) => "Kết thúc",
        _ => "Chuyên viên thụ lý",
    };
    let id = row_id(0xe0, usize::from(shown.status));
    put!(out, ",\"dossierTaskStatus\":{{\"id\":\"{id}\",\"name\":\"{step}\"}}");
    put!(out, ",\"dossierMenuTaskRemind\":{{\"id\":\"{id}\",\"name\":\"{step}\"}}");
}

/// Writes an invented person into the fields for personal data.
fn applicant(out: &mut String, dossier: &Dossier) {
    let number = dossier.style % 1_000_000;
    let name = applicant_name(dossier);
    put!(
        out,
        ",\"applicant\":{{\"userId\":\"{}\",\"data\":{{\"fullname\":\"{name}\",\
         \"identityNumber\":\"000000{number:06}\",\"phoneNumber\":\"0000{number:06}\",\
         \"email\":\"mau.{number}@example.invalid\",\"birthday\":\"1900-01-01T00:00:00.000+0700\",\
         \"address\":\"Số {} đường Không Có Thật\"}}}}",
        row_id(0xf0, number as usize),
        number % 500
    );
}
