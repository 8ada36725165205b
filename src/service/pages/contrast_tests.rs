//! Contrast of the colours of `motcua.css` by WCAG 2.1: in light, in dark, and on paper, whichever of the two it is printed from.

use std::collections::BTreeMap;

use super::layout::STYLE;

/// Colour of a text, and of what is behind it.
const TEXTS: [(&str, &str); 22] = [
    ("text", "ground"),
    ("text", "surface"),
    ("text", "raised"),
    ("text", "mute-soft"),
    ("muted", "ground"),
    ("muted", "surface"),
    ("muted", "raised"),
    ("muted", "mute-soft"),
    ("accent", "ground"),
    ("accent", "surface"),
    ("accent", "raised"),
    ("accent-text", "accent"),
    ("good", "good-soft"),
    ("good", "surface"),
    ("good", "ground"),
    ("warn", "warn-soft"),
    ("warn", "surface"),
    ("warn", "ground"),
    ("bad", "bad-soft"),
    ("bad", "surface"),
    ("bad", "ground"),
    ("surface", "bad"),
];
/// The frame of fields and buttons, and the ring of the focus, and what is behind them.
const LINES: [(&str, &str); 4] =
    [("muted", "surface"), ("muted", "ground"), ("accent", "ground"), ("accent", "surface")];
/// Least contrast of texts (success criterion 1.4.3).
const OF_TEXT: f64 = 4.5;
/// Least contrast of what is needed to find a field or the focus (1.4.11).
const OF_LINE: f64 = 3.0;

/// Name → `#rrggbb` or `#rgb`.
type Colours = BTreeMap<&'static str, &'static str>;

/// The colours that the first `:root` after `start` sets.
fn colours(start: &str) -> Colours {
    let (_, rest) = STYLE.split_once(start).expect("the stylesheet has the block");
    let (_, rest) = rest.split_once(":root {").expect("the block sets colours");
    let (body, _) = rest.split_once('}').expect("the block ends");
    let set = body.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": "));
    set.filter(|(_, value)| value.starts_with('#')).collect()
}

/// Relative luminance, from 0 for black to 1 for white.
fn luminance(colour: &str) -> f64 {
    let digits = &colour[1..];
    let width = digits.len() / 3;
    let channel = |at: usize| {
        let value = u8::from_str_radix(&digits[at * width..(at + 1) * width], 16).expect("a hexadecimal number");
        let share = f64::from(if width == 1 { value * 17 } else { value }) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

/// From 1 to 21.
fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrasts_are_those_of_the_definition() {
    assert!((contrast("#000", "#ffffff") - 21.0).abs() < 1e-9);
    assert!((contrast("#ffffff", "#fff") - 1.0).abs() < 1e-9);
    // The lightest grey that may be a text on white.
    assert!(contrast("#767676", "#fff") > OF_TEXT && contrast("#777777", "#fff") < OF_TEXT);
}

#[test]
fn every_colour_is_read_easily_in_light_in_dark_and_on_paper() {
    let (light, dark, paper) = (colours(""), colours("@media (prefers-color-scheme: dark)"), colours("@media print"));
    let with = |base: &Colours, over: &Colours| -> Colours { base.iter().chain(over).map(|(k, v)| (*k, *v)).collect() };
    let in_dark = with(&light, &dark);
    for (mode, colours) in [
        ("light", &light),
        ("dark", &in_dark),
        ("paper from light", &with(&light, &paper)),
        ("paper from dark", &with(&in_dark, &paper)),
    ] {
        for (pairs, least) in [(&TEXTS[..], OF_TEXT), (&LINES[..], OF_LINE)] {
            for (front, behind) in pairs {
                let found = contrast(colours[front], colours[behind]);
                assert!(found >= least, "{mode}: {front} on {behind}: {found:.2}, less than {least}");
            }
        }
    }
}

#[test]
fn every_colour_of_a_text_is_among_the_pairs() {
    let used = STYLE.split(" color: var(--").skip(1).filter_map(|rest| rest.split(')').next());
    let unknown: Vec<&str> = used.filter(|name| TEXTS.iter().all(|(front, _)| front != name)).collect();
    assert!(unknown.is_empty(), "no contrast is computed for {unknown:?}");
}
