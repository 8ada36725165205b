//! The steps of a path into a record.

/// One step: a name, an element of a list by its index, or the first object of a list by a value.
#[derive(Debug, PartialEq)]
pub(crate) enum PathStep<'a> {
    Key(&'a str),
    Element(usize),
    Filter(&'a str, &'a str),
}

/// The end of a path that means the number of elements of a list.
pub(crate) const COUNT: &str = "#count";

/// The name of a key as a step: in quotes if a path would read it otherwise.
pub(crate) fn quoted(key: &str) -> String {
    if key.contains(['.', '[', ']']) || key.is_empty() { format!("\"{key}\"") } else { key.to_owned() }
}

/// The steps of a path.
///
/// # Errors
/// A message that names the path and what is wrong with it.
pub(crate) fn parse_path(path: &str) -> Result<Vec<PathStep<'_>>, String> {
    let wrong = |why: &str| format!("path `{path}` {why}");
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        // A name in quotes is taken as it is, with dots and brackets.
        let quoted = rest
            .strip_prefix('"')
            .map(|inner| inner.split_once('"').ok_or_else(|| wrong("has a `\"` without another")));
        let unquoted = match quoted.transpose()? {
            Some((name, after)) => {
                steps.push(PathStep::Key(name));
                rest = after;
                false
            }
            None => true,
        };
        let end = if unquoted { rest.find(['.', '[']).unwrap_or(rest.len()) } else { 0 };
        if unquoted && end == 0 && !(steps.is_empty() && rest.starts_with('[')) {
            return Err(wrong("has an empty name"));
        }
        if end > 0 {
            steps.push(PathStep::Key(&rest[..end]));
        }
        rest = &rest[end..];
        while let Some(open) = rest.strip_prefix('[') {
            let close = open.find(']').ok_or_else(|| wrong("has a `[` without `]`"))?;
            let inner = &open[..close];
            steps.push(match inner.split_once('=') {
                Some((key, value)) if !key.is_empty() => PathStep::Filter(key, value),
                _ => PathStep::Element(
                    inner.parse().map_err(|_| wrong("has neither `[0]` nor `[key=value]` in brackets"))?,
                ),
            });
            rest = &open[close + 1..];
        }
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(steps),
            None => return Err(wrong("has a name after `]` or `\"` without `.`")),
        }
    }
}
