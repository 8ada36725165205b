//! Completes the records of a page by their details (`[detail]`): one request for each record, before the page is landed.
//! Everything after sees one page.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::{StreamExt as _, TryStreamExt as _};

use crate::fields::explode_path::NO_DETAIL;
use crate::model::connector::{Detail, Limits, MissingDetail, Pages};
use crate::model::page::{Page, Reason};
use crate::model::values::placeholders;
use crate::sources::decode::Decoder;
use crate::sources::decode::envelope::InsteadOfAnswer;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::exchange::Exchange;
use crate::sources::request::{self, RecordFields, Request, TemplateContext};
use crate::sources::transport::Response;
use crate::sources::{charset, response};

/// Longest text of a record that is sent in a request. Codes are shorter.
const MAX_VALUE_BYTES: usize = 1 << 10;
/// Records of a page that a trial asks for.
const TRIAL_RECORDS: usize = 20;

/// The requests for the details of one pull.
pub(crate) struct DetailRequests {
    detail: Detail,
    decoder: Decoder,
    /// Requests so far, and how many there may be.
    sent: AtomicU32,
    limits: Limits,
    is_trial: bool,
}

impl DetailRequests {
    /// `sent`: requests of a pull that is resumed. `is_trial`: only the first records of a page are read.
    pub(crate) fn new(detail: Detail, decoder: Decoder, limits: &Limits, (sent, is_trial): (u32, bool)) -> Self {
        Self { detail, decoder, sent: AtomicU32::new(sent), limits: limits.clone(), is_trial }
    }

    /// Requests so far in this pull.
    pub(crate) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The page with the details of its records.
    ///
    /// # Errors
    /// `detail_limit`, `page_too_long`, and why a response cannot be read.
    pub(crate) async fn complete(&self, exchange: &Exchange, list: Page) -> Result<Page, SourceError> {
        let count = if self.is_trial { list.len().min(TRIAL_RECORDS) } else { list.len() };
        let requests = (0..count).map(|row| self.details_of(exchange, &list, row));
        let concurrency = self.limits.concurrency.max(1) as usize;
        let found: Vec<Details> = futures::stream::iter(requests).buffered(concurrency).try_collect().await?;
        self.joined(&list, &found)
    }

    /// The rows of the list, each with the cells of its details.
    fn joined(&self, list: &Page, found: &[Details]) -> Result<Page, SourceError> {
        let explodes = self.decoder.explodes();
        let mut page = list.without_rows();
        for (index, details) in found.iter().enumerate() {
            let number = |page: &Page| if explodes { page.next_row() } else { list.row(index).0 };
            match details {
                Details::Found(rows) => {
                    page.note_fields_of(rows);
                    for row in 0..rows.len() {
                        page.begin_row(number(&page));
                        page.fill_row(list, index);
                        page.fill_row(rows, row);
                        if let Some(reason) = rows.row(row).1 {
                            page.mark_unreadable(reason);
                        }
                    }
                }
                Details::NotAsked | Details::Missing { .. } => {
                    page.begin_row(number(&page));
                    page.fill_row(list, index);
                    let deleted = page.fields.iter().position(|field| field == NO_DETAIL);
                    match (details, self.detail.missing, deleted) {
                        (Details::Missing { .. }, MissingDetail::Accept, _) => {}
                        (Details::Missing { is_stated: true }, MissingDetail::Delete, Some(field)) => {
                            page.set(field, "true");
                        }
                        _ => page.refuse_row(Reason::NoDetail),
                    }
                }
                Details::Unreadable(reason) => {
                    page.begin_row(number(&page));
                    page.mark_unreadable(*reason);
                }
            }
            if explodes {
                page.end_record();
            }
            if page.len() > self.limits.max_page_records as usize {
                return Err(SourceError::too_many_records(self.limits.max_page_records as usize).on(&list.origin));
            }
        }
        Ok(page)
    }

    /// The details of a record of the list.
    async fn details_of(&self, exchange: &Exchange, list: &Page, row: usize) -> Result<Details, SourceError> {
        if let Some(reason) = list.row(row).1 {
            return Ok(Details::Unreadable(reason));
        }
        let record = RecordFields { page: list, row };
        if !self.can_be_asked_for(record) {
            return Ok(Details::NotAsked);
        }
        if self.sent.fetch_add(1, Ordering::Relaxed) >= self.limits.max_details {
            let message = format!(
                "{}: the details of {} records were read and more follow (`limits.max_details`)",
                list.origin, self.limits.max_details
            );
            return Err(SourceError::new(ErrorKind::DetailLimit, message));
        }
        let template = &self.detail.request;
        let origin = format!("{} {}", request::method_name(template.method), template.path);
        let mut attempt = 1;
        loop {
            let sent = exchange.send(
                &origin,
                |token| {
                    let session = exchange.login.session(token);
                    let context = TemplateContext { session, record: Some(record), ..TemplateContext::default() };
                    request::build(&exchange.base_url, template, &Pages::None, context, &exchange.values)
                },
                |request, response| self.read(exchange, request, response),
            );
            match sent.await {
                Ok(details) => return Ok(details),
                Err(error) => exchange.wait_to_retry(error, &mut attempt).await?,
            }
        }
    }

    /// Reads a response; `None` if its envelope reports an expired session.
    fn read(&self, exchange: &Exchange, request: &Request, response: Response) -> Result<Option<Details>, SourceError> {
        let status = response.status;
        let is_missing = matches!(status, 204 | 404 | 410) && !exchange.retry.statuses.contains(&status);
        if is_missing && self.detail.missing != MissingDetail::Stop {
            // A gateway answers 404 for its own reasons, with a page of its own.
            let is_stated = status == 410 || status == 404 && self.is_in_format(&response.body, &request.label);
            return Ok(Some(Details::Missing { is_stated }));
        }
        let is_fault = status >= 400 && self.decoder.is_answer(&response.body);
        let body = if is_fault {
            response.body
        } else {
            let content_type = response.content_type.clone().filter(|_| self.decoder.follows_charset());
            charset::in_utf8(response::successful_body(response, request, &exchange.retry)?, content_type.as_deref())
        };
        let read = self.decoder.page(&body, 0, request.label.clone());
        match read {
            Ok((_, envelope)) if envelope.instead == Some(InsteadOfAnswer::Expired) => Ok(None),
            Ok((_, envelope)) if envelope.instead == Some(InsteadOfAnswer::NotFound) => {
                self.not_found(&request.label).map(Some)
            }
            Ok((page, envelope)) if !envelope.null_list && page.records() == 1 => {
                Ok(Some(Details::Found(Arc::new(page))))
            }
            Ok((page, _)) if page.records() > 1 => Ok(Some(Details::Unreadable(Reason::Malformed))),
            Ok(_) if self.detail.missing == MissingDetail::Stop => {
                let message = format!("{}: the response has no record at `detail.record`", request.label);
                Err(SourceError::new(ErrorKind::NoRecords, message))
            }
            Ok(_) => Ok(Some(Details::Missing { is_stated: false })),
            Err(error) if error.kind == ErrorKind::NoRecords && self.detail.missing != MissingDetail::Stop => {
                Ok(Some(Details::Missing { is_stated: false }))
            }
            Err(error) => Err(error.on(&request.label)),
        }
    }

    /// Whether a body can be read, with or without a record.
    fn is_in_format(&self, body: &[u8], label: &str) -> bool {
        self.decoder.page(body, 0, label.to_owned()).map_or_else(|error| error.kind == ErrorKind::NoRecords, |_| true)
    }

    /// What a response with a code of `detail.not_found` means.
    fn not_found(&self, label: &str) -> Result<Details, SourceError> {
        if self.detail.missing == MissingDetail::Stop {
            let message = format!("{label}: the response has a code of `detail.not_found`: there is no such record");
            return Err(SourceError::new(ErrorKind::NoRecords, message));
        }
        Ok(Details::Missing { is_stated: true })
    }

    /// Whether a record has the values that the request needs, and each can be a part of an address. `..` in a path would
    /// lead to another one, also if it is put together from several values.
    fn can_be_asked_for(&self, record: RecordFields<'_>) -> bool {
        let texts = self.detail.request.texts();
        let mut names = texts
            .flat_map(|text| placeholders(text))
            .filter_map(|found| found[1..found.len() - 1].strip_prefix("record."));
        names.all(|path| {
            record.text(path).is_some_and(|text| {
                !text.trim().is_empty()
                    && !matches!(text, "." | "..")
                    && text.len() <= MAX_VALUE_BYTES
                    && !text.contains(char::is_control)
            })
        }) && !adds_dots(&self.detail.request.path, |field| record.text(field))
    }
}

/// Whether the values of a record make a segment `.` or `..` in a path, which the template does not have. A URL parser
/// removes such segments, also if they are written `%2e`.
fn adds_dots<'a>(path: &str, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
    let mut filled = String::with_capacity(path.len());
    let mut rest = path;
    for placeholder in placeholders(path) {
        let (before, after) = rest.split_once(placeholder).unwrap_or((rest, ""));
        filled.push_str(before);
        rest = after;
        let field = placeholder[1..placeholder.len() - 1].strip_prefix("record.");
        match field.and_then(&value_of) {
            // As the request escapes it: a value begins no segment.
            Some(value) => filled.push_str(&value.replace('%', "%25").replace(['/', '\\'], "%2F")),
            None => filled.push_str(placeholder),
        }
    }
    filled.push_str(rest);
    dot_segments(&filled) > dot_segments(path)
}

fn dot_segments(path: &str) -> usize {
    let path = path.to_ascii_lowercase().replace("%2e", ".");
    path.split(['/', '\\']).filter(|segment| matches!(*segment, "." | "..")).count()
}

/// What a record's request came to.
#[derive(Debug)]
enum Details {
    /// The rows that the response gives, one unless `decode.explode` takes a list of it apart.
    Found(Arc<Page>),
    /// The source has none. `is_stated`: by a status or code for it; an answer without details may be a fault of the source.
    Missing { is_stated: bool },
    /// The record has no value to ask with.
    NotAsked,
    /// The record is unreadable, or the source has several.
    Unreadable(Reason),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_record_lead_to_no_other_path() {
        for (path, a, b, expected) in [
            ("/d/{record.a}{record.b}", ".", ".", true),
            ("/d/{record.a}/x", "..", "", true),
            ("/d/.{record.a}", ".", "", true),
            ("/d/%2{record.a}", "e", "", true),
            ("/d/%{record.a}%2{record.b}/x", "2E", "E", true),
            ("/d/{record.a}{record.b}", "..", "1", false),
            ("/d/{record.a}", "../x", "", false),
            ("/d/{record.a}", "%2e", "", false),
            ("/d/./{record.a}/{env:X}", "K-1.2", "", false),
        ] {
            let value_of = |field: &str| match field {
                "a" => Some(a),
                "b" => Some(b),
                _ => None,
            };
            assert_eq!(adds_dots(path, value_of), expected, "{path} {a} {b}");
        }
    }
}
