use super::*;
use crate::model::connector::{RepeatedHeading, TrailerHolds};

/// A layout with these fields: heading, and its place if it is declared. All are required.
fn layout(fields: &[(&str, Option<u32>)], trailer: Option<Trailer>) -> TableLayout {
    let field = |(heading, nth): &(&str, Option<u32>)| {
        let source = match nth {
            None => SourceField::Name((*heading).to_owned()),
            Some(nth) => SourceField::Repeated(RepeatedHeading { column: (*heading).to_owned(), nth: *nth }),
        };
        TableField::new(source.name(), &source)
    };
    let required = (0..fields.len()).map(|cell| vec![cell]).collect();
    TableLayout {
        header: "mã".to_owned(),
        header_name: "Mã".to_owned(),
        footers: vec![],
        fields: fields.iter().map(field).collect(),
        required,
        trailer,
        has_two_header_rows: false,
    }
}

/// The column of each field, from 1; or the code and message of the error.
fn places(layout: &TableLayout, header: &[&str]) -> Result<Vec<usize>, String> {
    let header: Vec<String> = header.iter().map(|cell| fold(cell)).collect();
    let columns = layout.columns(&header).map_err(|error| format!("{} {}", error.kind.code(), error.message))?;
    let place = |cell| columns.fills.iter().position(|cells| cells.contains(&cell)).expect("a required column") + 1;
    Ok((0..layout.fields.len()).map(place).collect())
}

#[test]
fn a_heading_that_is_read_must_occur_once() {
    let plain = layout(&[("Mã", None), ("Ngày trả", None)], None);
    assert_eq!(places(&plain, &["Mã", "Ghi chú", "Ghi chú", "NGÀY  trả"]), Ok(vec![1, 4]));
    let marks_apart = "Nga\u{300}y tra\u{309}";
    for alike in
        ["Ngày trả", "NGÀY TRẢ", " ngày  trả", "Ngày\u{a0}trả", "\u{feff}Ngày trả\u{200b}", marks_apart, "Ngày\ntrả"]
    {
        assert_eq!(
            places(&plain, &["Mã", "Ngày trả", "Tên", alike]),
            Err("heading_repeated the header row has 2 columns `Ngày trả`: columns 2, 4".to_owned()),
            "{alike:?}"
        );
    }
    assert_eq!(places(&plain, &["Mã", "Ngày trả", "Ngày tra", "Ngày trả (2)"]), Ok(vec![1, 2]));
}

#[test]
fn the_declaration_may_say_which_of_several_is_meant() {
    let header = ["Mã", "Ngày trả", "Tên", "ngày trả", "NGÀY TRẢ"];
    for (nth, expected) in [
        (1, Ok(vec![1, 2])),
        (2, Ok(vec![1, 4])),
        (3, Ok(vec![1, 5])),
        (4, Err("header_not_found the header row has no column `Ngày trả [4]`".to_owned())),
        (0, Err("header_not_found the header row has no column `Ngày trả [0]`".to_owned())),
    ] {
        assert_eq!(places(&layout(&[("Mã", None), ("Ngày trả", Some(nth))], None), &header), expected, "{nth}");
    }
    assert_eq!(
        places(&layout(&[("Ngày / Hẹn", None)], None), &header),
        Err("header_not_found the header row has no column `Ngày / Hẹn`; headings in two rows are joined like this with \
             `header_rows = 2` in `[decode]`"
            .to_owned())
    );
    let both = layout(&[("Ngày trả", Some(1)), ("Mã", None), ("Ngày trả", Some(2))], None);
    assert_eq!(places(&both, &header), Ok(vec![2, 1, 4]));
    assert_eq!(places(&layout(&[("Mã", Some(1))], None), &header), Ok(vec![1]));
}

#[test]
fn the_trailer_takes_the_column_that_the_map_names() {
    let trailer = |column: &str, of: Option<&str>| {
        Some(Trailer { column: column.to_owned(), holds: TrailerHolds::Sum, of: of.map(str::to_owned) })
    };
    let header = ["mã", "phí", "tên", "phí"];
    let found = |fields: &[(&str, Option<u32>)], trailer| {
        let columns = layout(fields, trailer).columns(&header.map(str::to_owned));
        columns
            .map(|columns| columns.trailer.map(|trailer| (trailer.column, trailer.summed)))
            .map_err(|error| error.kind)
    };
    assert_eq!(found(&[("Mã", None), ("Phí", Some(2))], trailer("Phí", None)), Ok(Some((3, 3))));
    assert_eq!(found(&[("Mã", None), ("Phí", Some(2))], trailer("Mã", Some("Phí"))), Ok(Some((0, 3))));
    assert_eq!(found(&[("Mã", None)], trailer("Phí", None)), Err(ErrorKind::HeadingRepeated));
    let both = [("Phí", Some(1)), ("Phí", Some(2))];
    assert_eq!(found(&both, trailer("Phí", None)), Err(ErrorKind::HeadingRepeated));
}
