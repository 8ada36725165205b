//! The progress callback that verbs are given.

/// Called with a line of text at each step.
pub type Progress<'a> = dyn Fn(&str) + Sync + 'a;
