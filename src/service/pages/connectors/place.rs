//! Where a message of a run says that something is wrong, for readers of Vietnamese: the messages are English.

/// File, sheet, column and row that a message names, in Vietnamese; `None` if it names none.
pub(in crate::service::pages) fn place_in(message: &str) -> Option<String> {
    let file = quoted_after(message, &["file `"]).map(|name| format!("tệp {name}"));
    let sheet = quoted_after(message, &["sheet `"])
        .map(str::to_owned)
        .or_else(|| number_after(message, &["sheet "]))
        .map(|sheet| format!("trang tính {sheet}"));
    let column = quoted_after(message, &["column `", "mapped field `"]).map(|name| format!("cột {name}"));
    let row = number_after(message, &["row ", "line "]).map(|number| format!("dòng {number}"));
    let parts: Vec<String> = [file, sheet, column, row].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("Ở {}.", parts.join(", ")))
}

/// The text in backticks after the first of some words that the message has.
fn quoted_after<'m>(message: &'m str, before: &[&str]) -> Option<&'m str> {
    let (_, rest) = before.iter().find_map(|word| message.split_once(word))?;
    let (quoted, _) = rest.split_once('`')?;
    (!quoted.is_empty()).then_some(quoted)
}

/// The first number that directly follows one of some words.
fn number_after(message: &str, before: &[&str]) -> Option<String> {
    let digits = |rest: &str| -> String { rest.chars().take_while(char::is_ascii_digit).collect() };
    let numbers = before.iter().flat_map(|word| message.split(word).skip(1)).map(digits);
    numbers.into_iter().find(|digits| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_column_and_row_are_found_in_messages() {
        for (message, expected) in [
            (
                "connector `buu-chinh`: file `thang-10.xlsx`: sheet 2: the header row has no column `Mã hồ sơ`",
                Some("Ở tệp thang-10.xlsx, trang tính 2, cột Mã hồ sơ."),
            ),
            ("file `a.csv`: the file ends inside a quoted cell of the row in line 12", Some("Ở tệp a.csv, dòng 12.")),
            ("no record has the mapped field `acceptedDate`", Some("Ở cột acceptedDate.")),
            ("5 of 20 rows were rejected", None),
            ("the source did not answer within 30 s", None),
            ("file ``", None),
        ] {
            assert_eq!(place_in(message).as_deref(), expected, "{message}");
        }
    }
}
