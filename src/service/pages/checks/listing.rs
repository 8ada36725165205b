//! A list of dossiers or postal items, page by page.

use askama::Template;

use crate::locale::Language;
use crate::service::pages::figures::dossier_link::DossierLink;
use crate::service::pages::layout::Layout;

/// Rows on one page.
pub(super) const LIMIT: u32 = 50;

/// Values for `templates/listing.html`.
#[derive(Template)]
#[template(path = "listing.html")]
pub(super) struct ListingPage<'a> {
    pub(super) layout: Layout<'a>,
    /// Address and text of the page that the list belongs to.
    pub(super) back: (String, String),
    pub(super) title: String,
    /// Scope, period and number of rows.
    pub(super) subtitle: String,
    /// What the rows mean and what to do; may be empty.
    pub(super) explained: String,
    /// Address of the files without their ending, and the query.
    pub(super) file: [String; 2],
    /// What of the list a file has, if not all.
    pub(super) cut: Option<String>,
    pub(super) rows: ListedRows,
    /// Addresses of the pages before and after.
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
}

/// A row, and the page of its dossier; `None` if it has none.
pub(super) type LinkedRow = (Option<DossierLink>, Vec<String>);

/// The rows of a list.
#[derive(Debug, Default)]
pub(super) struct ListedRows {
    /// Heading, whether the column has numbers.
    pub(super) headings: Vec<(String, bool)>,
    pub(super) rows: Vec<LinkedRow>,
    /// From, to, of.
    pub(super) shown: Option<[String; 3]>,
}

impl ListedRows {
    /// `offset`: rows before the first one; `total`: rows on all pages.
    pub(super) fn new(
        lang: Language,
        headings: Vec<(String, bool)>,
        rows: Vec<LinkedRow>,
        (offset, total): (u32, u64),
    ) -> Self {
        let until = u64::from(offset) + rows.len() as u64;
        let shown = (!rows.is_empty()).then(|| [u64::from(offset) + 1, until, total].map(|number| lang.number(number)));
        Self { headings, rows, shown }
    }
}

/// Offsets of the pages before and after one.
pub(super) fn neighbours(offset: u32, listed: usize, total: u64) -> (Option<u32>, Option<u32>) {
    let previous = (offset > 0).then(|| offset.saturating_sub(LIMIT));
    let next = (u64::from(offset) + (listed as u64) < total && listed > 0).then(|| offset.saturating_add(LIMIT));
    (previous, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_neighbours_where_there_are_rows() {
        assert_eq!(neighbours(0, 50, 120), (None, Some(50)));
        assert_eq!(neighbours(50, 50, 120), (Some(0), Some(100)));
        assert_eq!(neighbours(100, 20, 120), (Some(50), None));
        assert_eq!(neighbours(4_000_000_000, 0, 120), (Some(3_999_999_950), None));
        assert_eq!(neighbours(0, 0, 0), (None, None));
    }
}
