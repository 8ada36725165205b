//! Checks that a page is sound: balanced elements, labels, captions, one language, no scripts and no inline styles.

use std::collections::BTreeSet;

/// Elements without an end tag.
const VOID: [&str; 5] = ["meta", "link", "input", "br", "hr"];
/// Elements that must contain text.
const WITH_TEXT: [&str; 12] =
    ["title", "h1", "h2", "h3", "th", "a", "button", "label", "caption", "dt", "summary", "option"];

struct Open {
    name: String,
    text: String,
}

/// Value of an attribute in the text of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let at = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[at..].split('"').next()
}

/// Asserts that a page is sound; returns its text without markup.
pub(super) fn sound(what: &str, html: &str, lang: &str) -> String {
    assert!(html.starts_with("<!DOCTYPE html>"), "{what}");
    assert!(html.contains(&format!("<html lang=\"{lang}\">")), "{what}: the language");
    for forbidden in ["<script", " style=", "javascript:", "{{", "{%", " onclick", "<style"] {
        assert!(!html.contains(forbidden), "{what}: `{forbidden}`");
    }
    let (mut open, mut ids, mut labelled, mut text): (Vec<Open>, BTreeSet<String>, Vec<String>, String) =
        (Vec::new(), BTreeSet::new(), Vec::new(), String::new());
    let (mut fields, mut level, mut captions, mut tables, mut titles) = (Vec::new(), 0, 0, 0, 0);
    let mut named = Vec::new();
    let mut rest = &html["<!DOCTYPE html>".len()..];
    while let Some(start) = rest.find('<') {
        let words = &rest[..start];
        text.push_str(words);
        for element in &mut open {
            element.text.push_str(words.trim());
        }
        let end = rest[start..].find('>').unwrap_or_else(|| panic!("{what}: a tag without end")) + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().unwrap_or_else(|| panic!("{what}: `{tag}` closes nothing"));
            assert_eq!(closed.name, name, "{what}: elements overlap");
            assert!(!WITH_TEXT.contains(&name) || !closed.text.is_empty(), "{what}: an empty `{name}`");
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().unwrap_or_default();
        if let Some(id) = attribute(tag, "id") {
            assert!(ids.insert(id.to_owned()), "{what}: `{id}` is not unique");
        }
        // What names or describes an element is on the page.
        for reference in ["aria-labelledby", "aria-describedby"] {
            named.extend(attribute(tag, reference).into_iter().flat_map(str::split_whitespace).map(str::to_owned));
        }
        for label in ["aria-label", "title", "data-label", "alt"] {
            assert_ne!(attribute(tag, label), Some(""), "{what}: an empty `{label}` in `{tag}`");
        }
        match name {
            "label" => labelled.push(attribute(tag, "for").expect("labels name their field").to_owned()),
            "input" if attribute(tag, "type") == Some("hidden") => {}
            "input" | "select" | "textarea" => fields.push(attribute(tag, "id").expect("fields have ids").to_owned()),
            "table" => tables += 1,
            "caption" => captions += 1,
            "th" => assert!(attribute(tag, "scope").is_some(), "{what}: `{tag}` has no scope"),
            "nav" => assert!(attribute(tag, "aria-label").is_some(), "{what}: `{tag}` has no name"),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let own = i32::from(name.as_bytes()[1] - b'0');
                titles += i32::from(own == 1);
                assert!(own <= level + 1, "{what}: `{name}` after a heading of level {level}");
                level = own;
            }
            _ => {}
        }
        if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(Open { name: name.to_owned(), text: String::new() });
        }
    }
    assert!(open.is_empty(), "{what}: `{}` is not closed", open.last().map_or("", |element| &element.name));
    assert_eq!(titles, 1, "{what}: one heading names the page");
    // Keyboards pass over the menu.
    assert!(html.contains("<a class=\"skip\" href=\"#main\">") && ids.contains("main"), "{what}: no skip link");
    for name in named {
        assert!(ids.contains(&name), "{what}: nothing has the id `{name}`");
    }
    assert_eq!(tables, captions, "{what}: every table has a caption");
    for field in fields {
        assert!(labelled.contains(&field), "{what}: `{field}` has no label");
    }
    text
}

/// Asserts that the menu of a page marks where the reader is.
pub(super) fn is_marked_in_the_menu(what: &str, html: &str, href: &str) {
    let (_, menu) = html.split_once("<header").expect("a page has a header");
    let (menu, _) = menu.split_once("</nav>").expect("the header has a menu");
    let marked: Vec<&str> = menu.split("<a ").skip(1).filter(|link| link.contains("aria-current=\"page\"")).collect();
    let [link] = marked[..] else { panic!("{what}: {} places are marked in {menu}", marked.len()) };
    assert!(link.starts_with(&format!("href=\"{href}\"")), "{what}: {link} is marked");
}

#[test]
fn unsound_pages_are_found() {
    let page = |body: &str| {
        let skip = "<a class=\"skip\" href=\"#main\">x</a>";
        format!("<!DOCTYPE html><html lang=\"vi\"><body>{skip}<main id=\"main\">{body}</main></body></html>")
    };
    let table = "<table><caption>Hai</caption><tr><th scope=\"col\">x</th></tr></table>";
    sound("sound", &page(&format!("<h1>Một</h1><h2 id=\"a\">x</h2><p aria-labelledby=\"a\">x</p>{table}")), "vi");
    for body in [
        "<p>",
        "<p>x</p>",
        "<h1>x</h1><h1>x</h1>",
        "<h1>x</h1><h3>x</h3>",
        "<h1></h1>",
        "<h2>x</h2>",
        "<h1>x</h1><table></table>",
        "<h1>x</h1><table><caption>x</caption><tr><th>x</th></tr></table>",
        "<h1>x</h1><input id=\"x\">",
        "<h1>x</h1><select id=\"x\"></select>",
        "<h1>x</h1><nav>x</nav>",
        "<h1>x</h1><p aria-labelledby=\"b\">x</p>",
        "<h1>x</h1><p id=\"a\">x</p><p id=\"a\">x</p>",
        "<h1>x</h1><p style=\"\">x</p>",
        "<h1>x</h1><b><i></b></i>",
    ] {
        let found = std::panic::catch_unwind(|| sound("unsound", &page(body), "vi"));
        assert!(found.is_err(), "{body}");
    }
    let without = page("<h1>x</h1>").replace(" id=\"main\"", "");
    assert!(std::panic::catch_unwind(|| sound("unsound", &without, "vi")).is_err(), "no skip link");
}
