//! Whose dossiers a caller may read: the only way to them in the service.
//!
//! A token may be bound to agencies. Functions of the service that read dossiers (`dossiers.rs`) take a [`ReadableScope`] or a
//! [`RecordedRead`]. Both are made here only, and a recorded read is in the access log: a new route cannot forget either.
//!
//! A bound token reads the dossiers of its agencies, and of former agencies whose only successor, or the only one of that, is
//! one of them. Of an agency that was split, only a token that is bound to itself reads them.

use crate::config::Configuration;
use crate::indicators::FigureOf;
use crate::model::agency::Succession;
use crate::model::instant::local;
use crate::run;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::problem::Problem;

/// An agency, a tier or the province whose dossiers a caller may count.
#[derive(Debug, Clone)]
pub(super) struct ReadableScope(FigureOf);

/// The same, for a read of single dossiers that the access log has.
#[derive(Debug)]
pub(super) struct RecordedRead(FigureOf);

impl ReadableScope {
    /// The scope that a request names, if the caller may read it. If it names none: the only agency of a bound token, else the
    /// province.
    pub(super) fn new(service: &Service, caller: &Caller, wanted: Option<FigureOf>) -> Result<Self, Problem> {
        let today = local(run::now()).date();
        readable(&service.config, caller, wanted, today).map(Self)
    }

    pub(super) fn of(&self) -> &FigureOf {
        &self.0
    }

    /// Records the read in the access log. `way`: `api` or `page`; `what`: what is read, without any code of a dossier.
    pub(super) async fn recorded(
        self,
        service: &Service,
        caller: &Caller,
        (way, what): (&str, &str),
    ) -> Result<RecordedRead, Problem> {
        let what = format!("{what} {}", self.0.name());
        service.access.record_read(&caller.name, way, &what, run::now()).await?;
        Ok(RecordedRead(self.0))
    }
}

impl RecordedRead {
    pub(super) fn of(&self) -> &FigureOf {
        &self.0
    }
}

fn readable(
    config: &Configuration,
    caller: &Caller,
    wanted: Option<FigureOf>,
    today: jiff::civil::Date,
) -> Result<FigureOf, Problem> {
    let Some(bound) = &caller.agencies else { return Ok(wanted.unwrap_or(FigureOf::Province)) };
    let covers = |code: &str| covers(bound, code, &config.registries.successions, today);
    match (wanted, bound.as_slice()) {
        (None, [only]) => Ok(FigureOf::Agency(only.clone())),
        (Some(FigureOf::Agency(code)), _) if covers(&code) => Ok(FigureOf::Agency(code)),
        _ => Err(caller.bound_problem()),
    }
}

/// Whether a code is of one of the agencies, or of a former agency whose tasks passed to one of them only.
fn covers(bound: &[String], code: &str, successions: &[Succession], today: jiff::civil::Date) -> bool {
    let mut code = code;
    // A chain is not longer than the list, so that a circle of successions ends too.
    for _ in 0..=successions.len() {
        if bound.iter().any(|one| one == code) {
            return true;
        }
        let links = successions.iter().filter(|link| link.from == code && link.date <= today);
        let mut successors: Vec<&str> = links.map(|link| link.to.as_str()).collect();
        successors.dedup();
        match successors[..] {
            [one] => code = one,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn succession(from: &str, to: &str, year: i16) -> Succession {
        Succession {
            from: from.to_owned(),
            to: to.to_owned(),
            date: date(year, 7, 1),
            document: "1668/NQ-UBTVQH15".to_owned(),
        }
    }

    #[test]
    fn a_token_reads_its_agencies_and_those_that_only_they_succeeded() {
        let successions = [
            succession("old", "middle", 2024),
            succession("middle", "new", 2025),
            succession("split", "new", 2025),
            succession("split", "other", 2025),
            succession("later", "new", 2099),
            succession("round", "about", 2025),
            succession("about", "round", 2025),
        ];
        let bound = ["new".to_owned()];
        let is_read = |code: &str| covers(&bound, code, &successions, date(2026, 3, 20));
        for (code, expected) in [
            ("new", true),
            ("old", true),
            ("middle", true),
            ("split", false),
            ("other", false),
            ("later", false),
            ("round", false),
            ("unknown", false),
        ] {
            assert_eq!(is_read(code), expected, "{code}");
        }
        // A token of the former agency does not read what its successor has.
        assert!(!covers(&["old".to_owned()], "new", &successions, date(2026, 3, 20)));
        assert!(!covers(&[], "new", &successions, date(2026, 3, 20)), "bound to none");
    }
}
