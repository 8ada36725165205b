//! A page of Markdown as far as names go: links, code in backticks and headings; blocks of code are passed over.

use std::collections::BTreeSet;

pub(crate) struct Page {
    /// Line and target of each link and picture.
    pub(crate) links: Vec<(usize, String)>,
    /// Line and text of each code span.
    pub(crate) code: Vec<(usize, String)>,
    anchors: BTreeSet<String>,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self { links: Vec::new(), code: Vec::new(), anchors: BTreeSet::new() };
        let mut is_block = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_block = !is_block;
            } else if !is_block {
                page.read_line(index + 1, line);
            }
        }
        page
    }

    /// Whether the page has the heading that a link's fragment names.
    pub(crate) fn has_heading(&self, fragment: &str) -> bool {
        self.anchors.contains(fragment)
    }

    fn read_line(&mut self, number: usize, line: &str) {
        if line.starts_with('#') {
            self.anchors.insert(anchor(line.trim_start_matches('#').trim()));
        }
        let pieces: Vec<&str> = line.split('`').collect();
        let code = pieces.iter().skip(1).step_by(2);
        self.code.extend(code.map(|code| (number, code.replace("\\|", "|"))));
        // A link's text may hold backticks, its target holds none.
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let end = after.find([')', ' ']).unwrap_or(after.len());
            self.links.push((number, after[..end].to_owned()));
            rest = &after[end..];
        }
    }
}

/// The fragment of a heading: small letters, digits, `-` and `_`; blanks become `-`, everything else goes.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|symbol| symbol.is_alphanumeric() || matches!(symbol, ' ' | '-' | '_'));
    kept.map(|symbol| if symbol == ' ' { '-' } else { symbol }).collect::<String>().to_lowercase()
}
