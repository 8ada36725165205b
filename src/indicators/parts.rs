//! Parts of interlinked dossiers (liên thông): which of them have their whole in the tables.
//!
//! A part counts with its whole, at the lead agency. A part whose whole no source has counts by itself until it comes.

use std::collections::HashSet;
use std::sync::Arc;

use polars::prelude::*;

/// The columns that give a dossier's codes. `other_codes` has several, with `;` between them.
const CODE_COLUMNS: [&str; 3] = ["dossier_code", "national_code", "other_codes"];

/// The codes that parts name as their parent and that a dossier has.
#[derive(Debug, Clone)]
pub(super) struct ParentCodes(Arc<HashSet<String>>);

impl ParentCodes {
    /// Reads the dossiers once for the parents that parts name and, if there are any, once more for their codes. A
    /// deleted dossier is no parent.
    pub(super) fn read(dossiers: &LazyFrame) -> PolarsResult<Self> {
        let kept = dossiers.clone().filter(col("deleted").fill_null(lit(false)).not());
        let named = kept
            .clone()
            .select([col("parent_code")])
            .filter(col("parent_code").is_not_null())
            .unique(None, UniqueKeepStrategy::Any)
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        let named: Arc<HashSet<String>> =
            Arc::new(named.column("parent_code")?.str()?.iter().flatten().map(str::to_owned).collect());
        if named.is_empty() {
            return Ok(Self(named));
        }
        let of_columns = Arc::clone(&named);
        let has_named_code = move |columns: &mut [Column]| -> PolarsResult<Column> {
            let texts = columns.iter().map(Column::str).collect::<PolarsResult<Vec<_>>>()?;
            let mut found = Vec::with_capacity(columns[0].len());
            for row in 0..columns[0].len() {
                found.push(codes(texts.iter().map(|text| text.get(row))).any(|code| of_columns.contains(code)));
            }
            Ok(Column::new(columns[0].name().clone(), found))
        };
        let [code, others @ ..] = CODE_COLUMNS.map(col);
        let is_named = code
            .map_many(has_named_code, &others, |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Boolean)));
        let parents =
            kept.select(CODE_COLUMNS.map(col)).filter(is_named).collect_with_engine(Engine::Streaming)?.unwrap_single();
        let texts = CODE_COLUMNS.map(|name| parents.column(name));
        let mut present = HashSet::new();
        for column in texts {
            present.extend(codes(column?.str()?.iter()).filter(|code| named.contains(*code)).map(str::to_owned));
        }
        Ok(Self(Arc::new(present)))
    }

    /// The column `is_part`: whether the dossier names a parent that the tables have. One that names itself is no part.
    pub(super) fn is_part(&self) -> Expr {
        if self.0.is_empty() {
            return lit(false).alias("is_part");
        }
        let present = Arc::clone(&self.0);
        let is_part = move |columns: &mut [Column]| -> PolarsResult<Column> {
            let texts = columns.iter().map(Column::str).collect::<PolarsResult<Vec<_>>>()?;
            let [parents, own @ ..] = texts.as_slice() else { unreachable!("the parent and the codes") };
            let parts: BooleanChunked = parents
                .iter()
                .enumerate()
                .map(|(row, parent)| {
                    let parent = parent.filter(|parent| present.contains(*parent));
                    parent.is_some_and(|parent| !codes(own.iter().map(|text| text.get(row))).any(|code| code == parent))
                })
                .collect();
            Ok(parts.with_name(columns[0].name().clone()).into_column())
        };
        let is_part = col("parent_code").map_many(is_part, &CODE_COLUMNS.map(col), |_, fields| {
            Ok(Field::new(fields[0].name().clone(), DataType::Boolean))
        });
        is_part.alias("is_part")
    }
}

/// The codes in texts that may have several.
pub(super) fn codes<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> impl Iterator<Item = &'a str> {
    texts.flatten().flat_map(|text| text.split(';')).map(str::trim).filter(|code| !code.is_empty())
}
