//! What dossiers are to a figure at two nights: which of them moved.

use polars::prelude::*;

use crate::expressions::{depends_on, parse};
use crate::indicators::IndicatorError;
use crate::indicators::explain::{ExplainedFigure, FigureOf, Side};
use crate::indicators::lookups::value_at;
use crate::model::indicator::{IndicatorDefinition, PeriodColumn};

/// What a dossier that counts is to a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Code of the agency that it counts for.
    pub agency: String,
    pub side: Side,
}

/// The dossiers that count in a figure, each with its [`Standing`].
#[derive(Debug, Clone)]
pub struct Standings(DataFrame);

/// A dossier whose standing differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub source: String,
    pub source_key: String,
    /// `None`: it does not count.
    pub before: Option<Standing>,
    pub after: Option<Standing>,
}

/// Whether an indicator depends on what another table has about a dossier: on columns of a look-up (`note`, `own_item`).
#[must_use]
pub fn reads_lookup(definition: &IndicatorDefinition, lookup: &str) -> bool {
    let predicates = [Some(&definition.population), Some(&definition.numerator), definition.denominator.as_ref()];
    let mut predicates = predicates.into_iter().flatten().chain(&definition.having);
    // A return is filed by its day, which the post decides.
    let by_return = definition.period == PeriodColumn::ReturnedAt && lookup == "own_item";
    by_return || predicates.any(|text| parse(text).is_ok_and(|predicate| depends_on(&predicate, lookup)))
}

impl ExplainedFigure {
    /// The dossiers that count in a figure: those of every [`Side`] but the last.
    ///
    /// # Errors
    /// A table that cannot be scanned.
    pub fn standings(&self, figure: &FigureOf) -> Result<Standings, IndicatorError> {
        let codes: Vec<&str> = (0_u32..)
            .take(self.agencies.known.len())
            .map(|number| &*self.agencies.known[self.agencies.attributed_to(number) as usize].code)
            .collect();
        let standing = self
            .dossiers()
            .filter(figure.is_of_agency(&self.agencies))
            .filter(col("side").neq(lit(Side::Excluded as u32)))
            .select([
                col("source"),
                col("source_key"),
                value_at(col("agency"), Column::new("code".into(), codes)).alias("agency"),
                col("side"),
            ])
            .collect_with_engine(Engine::Streaming)?;
        Ok(Standings(standing.unwrap_single()))
    }
}

impl Standings {
    /// The dossiers that stand otherwise in `after`, ordered by source and key.
    ///
    /// # Errors
    /// A failure of Polars.
    pub fn moves_to(&self, after: &Self) -> Result<Vec<Move>, IndicatorError> {
        let key = [col("source"), col("source_key")];
        let joined = self
            .0
            .clone()
            .lazy()
            .join(
                after.0.clone().lazy(),
                key.clone(),
                key.clone(),
                JoinArgs::new(JoinType::Full).with_coalesce(JoinCoalesce::CoalesceColumns),
            )
            .filter(col("side").neq_missing(col("side_right")).or(col("agency").neq_missing(col("agency_right"))))
            .sort(["source", "source_key"], SortMultipleOptions::default())
            .collect()?;
        let text = |name: &str| joined.column(name)?.str();
        let (sources, keys) = (text("source")?, text("source_key")?);
        let standings = |agency: &str, side: &str| -> PolarsResult<Vec<Option<Standing>>> {
            let standing = |(agency, side): (Option<&str>, Option<u32>)| {
                let side = Side::from_repr(u8::try_from(side?).ok()?)?;
                Some(Standing { agency: agency?.to_owned(), side })
            };
            Ok(text(agency)?.iter().zip(joined.column(side)?.u32()?.iter()).map(standing).collect())
        };
        let before = standings("agency", "side")?;
        let after = standings("agency_right", "side_right")?;
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let keys = sources.iter().zip(keys.iter());
        let moves = keys.zip(before.into_iter().zip(after)).map(|((source, key), (before, after))| Move {
            source: owned(source),
            source_key: owned(key),
            before,
            after,
        });
        Ok(moves.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings(rows: &[(&str, &str, Side)]) -> Standings {
        let frame = df!(
            "source" => vec!["portal"; rows.len()],
            "source_key" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            "agency" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
            "side" => rows.iter().map(|row| row.2 as u32).collect::<Vec<_>>(),
        );
        Standings(frame.expect("a frame"))
    }

    #[test]
    fn only_dossiers_that_stand_otherwise_have_moved() {
        let before = standings(&[
            ("same", "A", Side::InNumerator),
            ("late", "A", Side::InNumerator),
            ("gone", "A", Side::Unknown),
            ("handed on", "A", Side::InNumerator),
        ]);
        let after = standings(&[
            ("new", "B", Side::NotInNumerator),
            ("handed on", "B", Side::InNumerator),
            ("late", "A", Side::NotInNumerator),
            ("same", "A", Side::InNumerator),
        ]);
        let moves = before.moves_to(&after).expect("they are compared");
        let standing = |agency: &str, side| Some(Standing { agency: agency.to_owned(), side });
        let expected = [
            ("gone", standing("A", Side::Unknown), None),
            ("handed on", standing("A", Side::InNumerator), standing("B", Side::InNumerator)),
            ("late", standing("A", Side::InNumerator), standing("A", Side::NotInNumerator)),
            ("new", None, standing("B", Side::NotInNumerator)),
        ];
        let found: Vec<_> = moves.into_iter().map(|one| (one.source_key, one.before, one.after)).collect();
        assert_eq!(found, expected.map(|(key, before, after)| (key.to_owned(), before, after)));
        assert_eq!(after.moves_to(&after).expect("they are compared"), []);
    }
}
