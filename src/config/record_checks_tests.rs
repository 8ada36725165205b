//! Declarations of `explode` and `[detail]` with mistakes, and without.

use crate::config::test_connectors::{HTTP, LISTS, mistaken_keys};

/// The keys of the mistakes, sorted, of a list whose key is read from a path.
fn names(key: &str, addition: &str) -> Vec<String> {
    let lists = LISTS.replace("\"id\"", &format!("\"{key}\""));
    let mut names = mistaken_keys(&format!("{lists}{HTTP}{addition}"));
    names.sort();
    names
}

#[test]
fn rows_of_a_record_are_told_apart_by_what_is_read_of_its_elements() {
    let explode = |path: &str| format!("[decode]\ntype = 'json'\nexplode = {{ path = '{path}' }}\n");
    for (key, path, wrong) in [
        ("values[].id", "values[]", &[][..]),
        ("values[]", "values[]", &[]),
        ("values[].#key", "values[]", &[]),
        ("[].#key", "[]", &[]),
        ("a[].values[].n", "a[].values[]", &[]),
        ("id", "values[]", &["identity.key"]),
        ("a[].n", "a[].values[]", &["identity.key"]),
        ("values[].id", "values", &["decode.explode.path", "map.source_key.from"]),
        ("other[].id", "values[]", &["identity.key", "map.source_key.from"]),
        ("values[].a..b", "values[]", &["map.source_key.from"]),
    ] {
        assert_eq!(names(key, &explode(path)), wrong, "{key} {path}");
    }
    let keyset = "[pages]\ntype = 'keyset'\nparam = 'after'\npath = 'values[].id'\nend = { type = 'empty_page' }\n";
    let empty = "[decode]\ntype = 'json'\nexplode = { path = 'values[]', may_be_empty = true }\n";
    assert_eq!(names("values[].id", &format!("{keyset}{empty}")), ["decode.explode.may_be_empty", "pages.path"]);
}

#[test]
fn records_with_several_rows_and_a_total_are_read_twice() {
    let explode = "[decode]\ntype = 'json'\nexplode = { path = 'values[]' }\n";
    let numbers = |end: &str| {
        format!("[pages]\ntype = 'page_number'\nparam = 'p'\nfirst = 1\nsize = 2\nend = {{ type = {end} }}\n")
    };
    let cursor = "[pages]\ntype = 'cursor'\nparam = 'c'\npath = 'next'\n".to_owned();
    for (pages, complete, wrong) in [
        (numbers("'total', path = 'n'"), "", &["complete.read_twice"][..]),
        (numbers("'empty_page'"), "[complete]\ntotal = 'n'\n", &["complete.read_twice"]),
        (numbers("'total', path = 'n'"), "[complete]\nread_twice = true\n", &[]),
        (numbers("'empty_page'"), "[complete]\ntotal = 'n'\nread_twice = true\n", &[]),
        // Nothing is promised without a total, and pages after a cursor do not move.
        (numbers("'empty_page'"), "", &[]),
        (cursor, "[complete]\ntotal = 'n'\n", &[]),
    ] {
        assert_eq!(names("values[].id", &format!("{pages}{complete}{explode}")), wrong, "{pages}{complete}");
    }
    // Records with one row have a key, by which they are counted.
    let list = format!("{}[decode]\ntype = 'json'\n", numbers("'total', path = 'n'"));
    assert_eq!(names("id", &list), [""; 0]);
}

#[test]
fn a_request_for_details_names_a_field_of_the_list() {
    let detail = |request: &str, rest: &str| {
        format!(
            "[detail]\nrequest = {{ {request} }}\n{rest}\n[map.due_at]\nfrom = 'detail.due'\ntype = 'instant'\n\
             formats = ['dd/MM/yyyy']\n[decode]\ntype = 'json'\n"
        )
    };
    assert_eq!(names("id", &detail("path = '/d/{record.id}'", "")), [""; 0]);
    assert_eq!(names("id", &detail("path = '/d', query = { id = '{record.id}' }", "missing = 'accept'")), [""; 0]);
    for request in [
        "path = '/d'",
        "path = '/d/{record.other}'",
        "path = '/d/{record.detail.due}'",
        "path = '/d/{record.id}/{page}'",
        "path = '/d/{record.id}', headers = { s = '{session}' }",
    ] {
        assert_eq!(names("id", &detail(request, "")), ["detail.request"], "{request}");
    }
    assert_eq!(names("id", &detail("path = '/d/{record.id}', body = '{}'", "")), ["detail.request.body"]);
    assert_eq!(names("id", &detail("path = '/d/{record.id}'", "record = 'a[0]'")), ["detail.record"]);
    let without = "[detail]\nrequest = { path = '/d/{record.id}' }\n[decode]\ntype = 'json'\n";
    assert_eq!(names("id", without), ["detail"]);
    let both = detail("path = '/d/{record.id}'", "") + "explode = { path = 'values[]' }\n";
    assert_eq!(names("id", &both), ["decode.explode.path", "identity.key"]);
    for (missing, wrong) in [
        ("missing = 'delete'\nnot_found = { path = 'code', values = ['404'] }", &[][..]),
        ("not_found = { path = 'a..b', values = ['404'] }", &["detail.not_found.path"]),
        ("not_found = { path = '', values = [] }", &["detail.not_found.path", "detail.not_found.values"]),
    ] {
        assert_eq!(names("id", &detail("path = '/d/{record.id}'", missing)), wrong, "{missing}");
    }
    let required = detail("path = '/d/{record.id}'", "missing = 'delete'");
    let required = required.replace("type = 'instant'\n", "type = 'instant'\nrequired = true\n");
    assert_eq!(names("id", &required), ["map.due_at.required"]);
    let limit = detail("path = '/d/{record.id}'", "") + "[limits]\nmax_details = 0\n";
    assert_eq!(names("id", &limit), ["limits.max_details"]);
}

#[test]
fn the_period_that_is_asked_for_needs_slices_of_periods() {
    let measures = LISTS.replace("\"dossiers\"", "\"measures\"");
    let of = |from: &str, field_type: &str, passes: &str| {
        let map = format!("[map.period]\n{from}\ntype = '{field_type}'\nrequired = true\n");
        mistaken_keys(&format!("{measures}{HTTP}{map}[decode]\ntype = 'json'\n{passes}"))
    };
    let pass = |slice: &str| {
        format!(
            "[[window.passes]]\nname = 'p'\nsince_param = 'a'\nuntil_param = 'b'\nformat = 'yyyy-MM-dd'\nstart = 'cursor'\n\
             first_date = '2026-01-01'\n{slice}\n"
        )
    };
    for (from, field_type, passes, wrong) in [
        ("from = '#period'", "period", pass("slice = 'quarter'"), &[][..]),
        ("from = ['ky', '#period']", "period", pass("slice = 'year'"), &[]),
        ("from = '#period'", "period", pass(""), &["map.period.from"]),
        ("from = '#period'", "period", String::new(), &["map.period.from"]),
        ("from = '#period'", "code", pass("slice = 'month'"), &["map.period.from"]),
    ] {
        assert_eq!(of(from, field_type, &passes), wrong, "{from} {field_type} {passes}");
        // The same beside the headings of a table.
        let map = format!("[map.period]\n{from}\ntype = '{field_type}'\nrequired = true\n");
        let csv = "[decode]\ntype = 'csv'\nheader = 'id'\n";
        let found = mistaken_keys(&format!("{measures}{HTTP}{map}{csv}{passes}"));
        assert_eq!(found, wrong, "{from} {field_type} {passes}");
    }
}

#[test]
fn keys_of_a_map_need_a_column_that_reads_them() {
    let explode = |keys: &str| format!("[decode]\ntype = 'json'\nexplode = {{ path = 'values[]', keys = {keys} }}\n");
    assert_eq!(names("values[].#key", &explode("['a', 'b']")), [""; 0]);
    assert_eq!(names("values[].id", &explode("['a', 'b']")), ["decode.explode.keys"]);
    assert_eq!(names("values[].#key", &explode("['a', 'a']")), ["decode.explode.keys"]);
    assert_eq!(names("values[].#key", &explode("['a', '']")), ["decode.explode.keys"]);
}
