//! Headings and keys by which systems of the field name their columns, and the words of their lists, in Vietnamese and
//! English. They are compared without marks, spaces and signs, so that `Ngày hẹn trả`, `NGAY_HEN_TRA` and `ngayHenTra` are
//! one.

use unicode_normalization::UnicodeNormalization as _;

use crate::model::table::RecordKind;

/// Column and headings, the more usual first. A heading stands once in a table.
type Headings = &'static [(&'static str, &'static [&'static str])];

const DOSSIERS: Headings = &[
    ("source_key", &["id", "oid", "key", "uuid", "recordid", "dossierid", "hosoid", "idhoso", "conceptname"]),
    (
        "dossier_code",
        &[
            "mahoso",
            "sohoso",
            "masohoso",
            "mabiennhan",
            "sobiennhan",
            "dossiercode",
            "dossierno",
            "code",
            "mahosotthc",
            "madinhdanhhoso",
            "maso",
            "fileno",
        ],
    ),
    ("national_code", &["mahosoquocgia", "mahosodvcqg", "nationalcode", "nationcode", "madvcqg"]),
    ("procedure_code", &["matthc", "mathutuc", "mathutuchanhchinh", "procedurecode", "procedureid", "madvc"]),
    ("sector_code", &["malinhvuc", "sectorcode", "linhvucma"]),
    (
        "competent_agency",
        &[
            "donvi",
            "coquan",
            "tendonvi",
            "tencoquan",
            "donvigiaiquyet",
            "coquangiaiquyet",
            "donvixuly",
            "coquanxuly",
            "coquanthuchien",
            "donvithuly",
            "madonvi",
            "agency",
            "agencyname",
            "department",
            "phongban",
            "noithuly",
            "office",
        ],
    ),
    ("receiving_agency", &["donvitiepnhan", "noitiepnhan", "coquantiepnhan", "receivingagency", "noinhan"]),
    ("service_level", &["mucdo", "mucdodvc", "mucdvc", "mucdodichvu", "servicelevel", "level"]),
    (
        "submission_channel",
        &[
            "hinhthucnop",
            "hinhthuctiepnhan",
            "kenhtiepnhan",
            "kenhnop",
            "kenhthuchien",
            "hinhthuc",
            "hinhthucnophoso",
            "channel",
            "submissionchannel",
            "applymethod",
            "nguonhoso",
            "kenh",
        ],
    ),
    ("return_requested", &["hinhthucnhanketqua", "dangkynhanketqua", "hinhthucnhankq"]),
    ("returned_by", &["hinhthuctraketqua", "hinhthuctra", "kenhtraketqua", "hinhthuctrakq"]),
    ("status", &["trangthai", "trangthaihoso", "tinhtrang", "tinhtranghoso", "status", "dossierstatus", "matrangthai"]),
    (
        "submitted_at",
        &["ngaynop", "ngaynophoso", "thoigiannop", "ngaygui", "submitteddate", "submittedat", "submitted"],
    ),
    (
        "received_at",
        &[
            "ngaytiepnhan",
            "thoigiantiepnhan",
            "ngaynhan",
            "ngaynhanhoso",
            "ngaytiepnhanhoso",
            "accepteddate",
            "receiveddate",
            "receivedat",
            "received",
            "startdate",
            "thoidiemtiepnhan",
            "nhan",
            "lodged",
        ],
    ),
    (
        "due_at",
        &[
            "ngayhentra",
            "ngayhentraketqua",
            "ngayhentrakq",
            "hantra",
            "hantraketqua",
            "ngayhen",
            "hentra",
            "hanxuly",
            "hangiaiquyet",
            "ngayhetHan",
            "appointmentdate",
            "duedate",
            "dueat",
            "due",
            "deadline",
            "hentrangay",
            "hen",
            "promised",
        ],
    ),
    (
        "completed_at",
        &[
            "ngayhoanthanh",
            "ngayketthuc",
            "ngayxulyxong",
            "ngaygiaiquyet",
            "ngaygiaiquyetxong",
            "ngaycoketqua",
            "ngayketthucxuly",
            "thoigianhoanthanh",
            "completeddate",
            "completedat",
            "completed",
            "finishdate",
            "enddate",
            "ngayxong",
            "xong",
            "closed",
        ],
    ),
    ("returned_at", &["ngaytra", "ngaytraketqua", "ngaytrakq", "thoigiantra", "returneddate", "returnedat"]),
    ("supplement_requested_at", &["ngayyeucaubosung", "ngayyeucaubs"]),
    ("supplement_received_at", &["ngaynhanbosung", "ngaybosung"]),
    ("supplement_requests", &["solanbosung", "solanyeucaubosung"]),
    (
        "source_updated_at",
        &["ngaycapnhat", "thoigiancapnhat", "updateddate", "updatedat", "lastupdated", "modified", "modifiedat"],
    ),
];

const POSTAL_ITEMS: Headings = &[
    ("source_key", &["id", "key"]),
    ("item_code", &["mavandon", "mabuugui", "sohieubuugui", "sohieu", "mabg", "barcode", "itemcode", "madonhang"]),
    ("dossier_code", &["mahoso", "sohoso", "masohoso", "dossiercode"]),
    ("procedure_code", &["matthc", "mathutuc", "procedurecode"]),
    ("agency", &["donvi", "coquan", "donviphathanh", "agency", "tendonvi"]),
    ("direction", &["loaidichvu", "dichvu", "chieu", "loai", "loaibuugui", "direction"]),
    ("accepted_at", &["ngaychapnhan", "ngaygui", "ngaynhangui", "ngaythugom", "thoigianchapnhan", "acceptedat"]),
    ("delivered_at", &["ngayphat", "ngayphatthanhcong", "ngaygiao", "thoigianphat", "deliveredat"]),
    ("status", &["trangthai", "tinhtrang", "status"]),
    ("post_office", &["buucuc", "mabuucuc", "postoffice"]),
    ("fee", &["phi", "cuoc", "cuocphi", "phithuho", "tongcuoc", "fee"]),
    ("source_updated_at", &["ngaycapnhat", "updatedat"]),
];

const FEEDBACK: Headings = &[
    ("source_key", &["id", "key"]),
    ("feedback_code", &["maphananh", "mapakn", "ma", "code", "sophieu"]),
    ("procedure_code", &["matthc", "mathutuc"]),
    ("agency", &["donvi", "donvixuly", "coquan", "coquanxuly", "donvigiaiquyet", "agency"]),
    ("received_at", &["ngaytiepnhan", "ngaygui", "ngaytao", "createdat"]),
    ("due_at", &["hanxuly", "hantraloi", "duedate"]),
    ("handled_at", &["ngayxuly", "ngayxulyxong", "ngayketthuc"]),
    ("answered_at", &["ngaytraloi"]),
    ("published_at", &["ngaycongkhai", "ngaydang"]),
];

/// Words of a column, and the texts that mean each.
type Words = &'static [(&'static str, &'static [&'static str])];

/// Words of lists, as [`key_of`] gives them, and what they mean in columns of dossiers and postal items.
const WORDS: &[(&str, Words)] = &[
    (
        "channel",
        &[
            ("online", &["tructuyen", "quamang", "online", "internet", "dvctt", "noptructuyen", "tructuyenquacong"]),
            (
                "counter",
                &[
                    "tructiep",
                    "motcua",
                    "taimotcua",
                    "taibophanmotcua",
                    "taiquay",
                    "counter",
                    "desk",
                    "noptructiep",
                    "nhantructiep",
                ],
            ),
            (
                "postal",
                &[
                    "buuchinh",
                    "quabuuchinh",
                    "buuchinhcongich",
                    "buudien",
                    "bcci",
                    "post",
                    "postal",
                    "quabuuchinhcongich",
                    "quabuudien",
                    "quadichvubcci",
                ],
            ),
        ],
    ),
    (
        "service_level",
        &[
            ("full", &["toantrinh", "dvctoantrinh", "dvctttoantrinh", "muc4", "mucdo4", "full"]),
            ("partial", &["motphan", "dvcmotphan", "dvcttmotphan", "muc3", "mucdo3", "partial"]),
            ("information", &["muc2", "mucdo2", "cungcapthongtin", "information"]),
        ],
    ),
    (
        "status",
        &[
            ("registered", &["moidangky", "chotiepnhan", "moinop", "registered"]),
            ("received", &["duoctiepnhan", "datiepnhan", "tiepnhan", "received"]),
            ("refused", &["khongduoctiepnhan", "tuchoi", "tuchoitiepnhan", "refused"]),
            ("processing", &["dangxuly", "danggiaiquyet", "dangthuly", "processing"]),
            ("supplement", &["yeucaubosung", "yeucaubosunggiayto", "chobosung", "dangbosung", "supplement"]),
            ("finance", &["yeucauthuchiennghiavutaichinh", "nghiavutaichinh", "chonghiavutaichinh", "finance"]),
            ("withdrawn", &["congdanyeucauruthoso", "rut", "ruthoso", "darut", "withdrawn"]),
            ("stopped", &["dungxuly", "tamdung", "stopped"]),
            (
                "completed",
                &["daxulyxong", "daxuly", "hoanthanh", "dahoanthanh", "dacoketqua", "dagiaiquyet", "completed"],
            ),
            ("returned", &["datraketqua", "datrakq", "datra", "dagiaiquyetdatrakq", "returned"]),
        ],
    ),
    (
        "item_status",
        &[
            ("accepted", &["chapnhan", "dachapnhan", "danhangui", "accepted"]),
            ("in_transit", &["dangvanchuyen", "vanchuyen", "intransit"]),
            ("delivered", &["phatthanhcong", "daphat", "dagiao", "delivered"]),
            ("failed", &["phatkhongthanhcong", "chuaphatduoc", "failed"]),
            ("withdrawn", &["huy", "dahuy", "rut", "withdrawn"]),
        ],
    ),
    (
        "direction",
        &[
            ("submission", &["tiepnhanhoso", "nhanhoso", "guihoso", "thugomhoso", "submission"]),
            ("return", &["traketqua", "chuyentraketqua", "return"]),
        ],
    ),
];

/// A heading, key or word as it is compared: small letters and digits without marks.
pub(super) fn key_of(text: &str) -> String {
    let plain = text.nfd().flat_map(char::to_lowercase).map(|symbol| if symbol == 'đ' { 'd' } else { symbol });
    plain.filter(char::is_ascii_alphanumeric).collect()
}

fn headings(kind: RecordKind) -> Headings {
    match kind {
        RecordKind::PostalItems => POSTAL_ITEMS,
        RecordKind::Feedback => FEEDBACK,
        _ => DOSSIERS,
    }
}

/// Whether a text is a heading of the field.
#[must_use]
pub fn is_heading(kind: RecordKind, text: &str) -> bool {
    let key = key_of(text);
    headings(kind).iter().any(|(_, names)| names.iter().any(|name| key_of(name) == key))
}

/// The columns that a field may mean by its name, and how usual the name is for each (0: the most usual).
pub(super) fn columns_of(kind: RecordKind, name: &str) -> Vec<(&'static str, usize)> {
    let last = name.rsplit(['.', '@', '#']).find(|part| !key_of(part).is_empty()).unwrap_or(name);
    // Of headings in two rows the lower one: `Thời gian / Ngày tiếp nhận`.
    let below = name.rsplit_once(" / ").map_or(name, |(_, below)| below);
    let keys = [key_of(name), key_of(last), key_of(below)];
    let place = |names: &[&str]| names.iter().position(|known| keys.contains(&key_of(known)));
    headings(kind).iter().filter_map(|(column, names)| Some((*column, place(names)?))).collect()
}

/// What a word of a list means in a column; `None` if it is not known.
pub(super) fn word_of(kind: RecordKind, column: &str, text: &str) -> Option<&'static str> {
    let list = match (kind, column) {
        (_, "submission_channel" | "return_requested" | "returned_by") => "channel",
        (RecordKind::PostalItems, "status") => "item_status",
        (_, column) => column,
    };
    let key = key_of(text);
    let (_, words) = WORDS.iter().find(|(name, _)| *name == list)?;
    words.iter().find(|(_, texts)| texts.contains(&key.as_str())).map(|(word, _)| *word)
}
