//! Look-ups of small tables inside the scan, in place of joins.
//!
//! A text column becomes a column of row numbers, and a row number becomes a value. A join would copy every column of
//! the dossiers for every small table; a look-up only adds its own columns (docs/decisions/0009).

use std::sync::{Arc, PoisonError, RwLock};

use polars::prelude::*;

/// Row numbers of a small table by its text key.
#[derive(Clone, Debug)]
pub(super) struct RowsByText(Arc<PlHashMap<String, IdxSize>>);

impl RowsByText {
    /// The position of each text is its row number; of equal texts the first counts.
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut rows = PlHashMap::new();
        for (row, text) in (0..).zip(texts) {
            if let Some(text) = text {
                rows.entry(text.to_owned()).or_insert(row);
            }
        }
        Self(Arc::new(rows))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The row number of a text; null if the table does not have it.
    pub(super) fn row(&self, text: Expr) -> Expr {
        let rows = Arc::clone(&self.0);
        map_text(text, move |text| rows.get(text).copied())
    }
}

/// Numbers texts during a scan: a text that is not known yet gets the next number.
#[derive(Clone, Debug)]
pub(super) struct TextNumbers(Arc<RwLock<NumberedTexts>>);

#[derive(Debug, Default)]
struct NumberedTexts {
    by_text: PlHashMap<String, IdxSize>,
    texts: Vec<String>,
}

impl NumberedTexts {
    fn add(&mut self, text: &str) -> IdxSize {
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = IdxSize::try_from(self.texts.len()).expect("codes are counted in thousands");
        self.by_text.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }
}

impl TextNumbers {
    /// Numbers the known texts from 0 on.
    pub(super) fn new<'a>(known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut numbers = NumberedTexts::default();
        for text in known {
            numbers.add(text);
        }
        Self(Arc::new(RwLock::new(numbers)))
    }

    /// The number of each text; null for null.
    pub(super) fn number(&self, text: Expr) -> Expr {
        let numbers = Arc::clone(&self.0);
        map_text(text, move |text| {
            let known = numbers.read().unwrap_or_else(PoisonError::into_inner).by_text.get(text).copied();
            Some(known.unwrap_or_else(|| numbers.write().unwrap_or_else(PoisonError::into_inner).add(text)))
        })
    }

    /// All texts that have a number so far, by number.
    pub(super) fn texts(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).texts.clone()
    }
}

fn map_text(text: Expr, number_of: impl Fn(&str) -> Option<IdxSize> + Send + Sync + 'static) -> Expr {
    let look_up = move |column: Column| -> PolarsResult<Column> {
        let numbers: IdxCa = column.str()?.iter().map(|text| text.and_then(&number_of)).collect();
        Ok(numbers.with_name(column.name().clone()).into_column())
    };
    text.map(look_up, |_, field| Ok(Field::new(field.name().clone(), IDX_DTYPE)))
}

/// The value of a small table's column at a row number; null if there is no such row.
pub(super) fn value_at(row: Expr, values: Column) -> Expr {
    let data_type = values.dtype().clone();
    let rows = IdxSize::try_from(values.len()).expect("small tables are small");
    let look_up = move |column: Column| -> PolarsResult<Column> {
        let numbers = column.idx()?;
        let taken = if numbers.max().is_some_and(|number| number >= rows) {
            values.take(&numbers.iter().map(|number| number.filter(|number| *number < rows)).collect())?
        } else {
            values.take(numbers)?
        };
        Ok(taken.with_name(column.name().clone()))
    };
    row.map(look_up, move |_, field| Ok(Field::new(field.name().clone(), data_type.clone())))
}

/// The row number that a function gives for three numbers; null if one of them is null.
pub(super) fn row_by_three(
    numbers: [Expr; 3],
    row_of: impl Fn([IdxSize; 3]) -> Option<IdxSize> + Send + Sync + 'static,
) -> Expr {
    let [first, second, third] = numbers;
    let look_up = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let [first, second, third] = [columns[0].idx()?, columns[1].idx()?, columns[2].idx()?];
        let rows: IdxCa = first
            .iter()
            .zip(second.iter())
            .zip(third.iter())
            .map(|((first, second), third)| row_of([first?, second?, third?]))
            .collect();
        Ok(rows.with_name(columns[0].name().clone()).into_column())
    };
    first.map_many(look_up, &[second, third], |_, fields| Ok(Field::new(fields[0].name().clone(), IDX_DTYPE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(frame: DataFrame, expr: Expr) -> Vec<Option<i64>> {
        let found = frame.lazy().select([expr.cast(DataType::Int64).alias("found")]).collect().expect("it collects");
        found.column("found").expect("the selected column").i64().expect("whole numbers").iter().collect()
    }

    fn texts() -> DataFrame {
        df!("text" => [Some("b"), None, Some("a"), Some("x"), Some("b")]).expect("a frame")
    }

    #[test]
    fn a_text_finds_its_row_and_its_value() {
        let keyed = RowsByText::new([Some("a"), None, Some("b"), Some("a")]);
        assert_eq!(column(texts(), keyed.row(col("text"))), [Some(2), None, Some(0), None, Some(2)]);
        let values = Column::new("value".into(), [10_i64, 20, 30, 40]);
        let found = value_at(keyed.row(col("text")), values);
        assert_eq!(column(texts(), found), [Some(30), None, Some(10), None, Some(30)]);
    }

    #[test]
    fn a_row_beyond_the_table_has_no_value() {
        let numbered = TextNumbers::new(["a", "b"]);
        let found = value_at(numbered.number(col("text")), Column::new("value".into(), [10_i64]));
        assert_eq!(column(texts(), found), [None, None, Some(10), None, None]);
        assert_eq!(numbered.texts(), ["a", "b", "x"]);
    }
}
