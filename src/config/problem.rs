//! Mistakes in the configuration, each with file, line and key.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: PathBuf,
    /// From 1; 0 for the whole file.
    pub line: usize,
    /// Key or column; empty for the whole row or file.
    pub name: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.display())?;
        if self.line > 0 {
            write!(out, ":{}", self.line)?;
        }
        if self.name.is_empty() {
            write!(out, ": {}", self.message)
        } else {
            write!(out, ": `{}`: {}", self.name, self.message)
        }
    }
}

/// All mistakes found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, file: &Path, line: usize, name: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { file: file.to_owned(), line, name: name.into(), message: message.into() });
    }

    /// One mistake of a whole file.
    #[must_use]
    pub fn of(file: &Path, name: &str, message: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.add(file, 0, name, message);
        problems
    }

    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }

    /// Whether a file has any problem.
    pub(crate) fn has_any(&self, file: &Path) -> bool {
        self.0.iter().any(|problem| problem.file == file)
    }

    /// Whether a file or one of its rows could not be read at all.
    pub(crate) fn has_unreadable(&self, file: &Path) -> bool {
        self.0.iter().any(|problem| problem.file == file && problem.name.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mistakes of one file in a line: line, key and message of the first ones. Values of the file are left out, since
    /// one that stands at a wrong place may be a secret.
    #[must_use]
    pub fn summary(&self) -> String {
        /// Mistakes that are listed.
        const LISTED: usize = 3;
        let one = |problem: &Problem| {
            let message = without_values(problem.message.split(", got ").next().unwrap_or_default());
            let line = if problem.line > 0 { format!("line {}: ", problem.line) } else { String::new() };
            let name = if problem.name.is_empty() { String::new() } else { format!("`{}`: ", problem.name) };
            format!("{line}{name}{message}")
        };
        let listed: Vec<String> = self.0.iter().take(LISTED).map(one).collect();
        let more = match self.0.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        format!("{}{more}", listed.join("; "))
    }

    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// By file and line, each once.
    pub(crate) fn sorted(mut self) -> Self {
        self.0.sort();
        self.0.dedup();
        self
    }

    pub(crate) fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self.sorted()) }
    }
}

/// A message with what stands in backticks left out, but for names of keys and placeholders: a value at a wrong place may
/// be a secret.
fn without_values(message: &str) -> String {
    let is_name = |text: &str| {
        text.starts_with('{') || text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.[]".contains(&byte))
    };
    let parts = message.split('`').enumerate().map(|(place, part)| match place % 2 {
        1 if is_name(part) => format!("`{part}`"),
        1 => "`…`".to_owned(),
        _ => part.to_owned(),
    });
    parts.collect()
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes = if self.0.len() == 1 { "mistake" } else { "mistakes" };
        write!(out, "{} {mistakes} in the configuration", self.0.len())?;
        for problem in &self.0 {
            write!(out, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_keys_and_no_values() {
        for (message, expected) in [
            ("`hunter2SECRET` is no cron expression", "`…` is no cron expression"),
            ("must be a secret: `{secret:NAME}`", "must be a secret: `{secret:NAME}`"),
            ("needs `window.passes`, not `Pa$$ word`", "needs `window.passes`, not `…`"),
        ] {
            let problems = Problems::of(Path::new("connector.toml"), "schedule.cron", message);
            assert_eq!(problems.summary(), format!("`schedule.cron`: {expected}"));
        }
    }
}
