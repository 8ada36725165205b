//! The tree into which the kept paths of a record are compiled.

use crate::fields::select_path::{COUNT, PathStep, parse_path};

/// The part of a record that a tree reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TreePart<'a> {
    /// Path under which unmapped fields are reported; empty for a whole record.
    pub(crate) prefix: &'a str,
    /// Number of its first node, which differs from part to part.
    pub(crate) first_place: usize,
    /// Keys of a value that another part reads.
    pub(crate) passed_over: &'a [Box<str>],
    /// Whether its own keys are data, not fields.
    pub(crate) has_data_as_keys: bool,
}

/// A node of the tree.
#[derive(Debug, Clone, Default)]
pub(super) struct PathNode {
    /// Path prefix used to report unknown fields below this node.
    pub(super) path: String,
    /// Number of the node among all nodes of the connector.
    pub(super) place: usize,
    /// Whether another part of the paths reads the value at this node.
    pub(super) is_passed_over: bool,
    /// Whether unmapped keys are data, not fields.
    pub(super) has_data_as_keys: bool,
    /// Cell for the value at this node; `None` if the node is only on the way to others.
    pub(super) field: Option<usize>,
    /// Cell for the number of elements of the list at this node.
    pub(super) count: Option<usize>,
    pub(super) keys: Vec<(Box<str>, usize)>,
    /// Child node by list index.
    pub(super) elements: Vec<(usize, usize)>,
    pub(super) filters: Vec<ElementFilter>,
}

impl PathNode {
    /// Whether nothing of the value at this node is read, and its keys are no unmapped fields.
    pub(super) fn is_left_out(&self) -> bool {
        let leads_nowhere = self.keys.is_empty() && self.elements.is_empty() && self.filters.is_empty();
        self.is_passed_over && self.field.is_none() && self.count.is_none() && leads_nowhere
    }

    /// Whether a path begins with a key.
    pub(super) fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|(known, _)| **known == *key)
    }

    /// The children that a text in the place of a list (`[0]`) or of an object (`#text`) stands for.
    pub(super) fn of_text(&self) -> impl Iterator<Item = usize> {
        let first = self.elements.iter().find(|(at, _)| *at == 0).map(|(_, node)| *node);
        let text = self.keys.iter().find(|(key, _)| **key == *"#text").map(|(_, node)| *node);
        first.into_iter().chain(text)
    }

    /// Whether a path leads into what a text may hold as JSON or XML.
    pub(super) fn leads_into(&self, text: &str) -> bool {
        let leads_into_object = || !self.filters.is_empty() || self.keys.iter().any(|(key, _)| **key != *"#text");
        match text.trim_start().as_bytes().first() {
            Some(b'{' | b'<') => leads_into_object(),
            Some(b'[') => !self.filters.is_empty() || !self.elements.is_empty(),
            _ => false,
        }
    }

    /// Whether a value, as JSON, is a list or an object that is not empty and into which no longer path leads.
    pub(super) fn ends_in_structure(&self, raw: &str) -> bool {
        let is_expected = match raw.as_bytes().first() {
            Some(b'{') => !self.keys.is_empty() || !self.filters.is_empty(),
            Some(b'[') => !self.elements.is_empty() || !self.filters.is_empty(),
            _ => true,
        };
        let is_empty = || raw[1..raw.len() - 1].trim().is_empty();
        !is_expected && !is_empty()
    }
}

#[derive(Debug, Clone)]
pub(super) struct ElementFilter {
    pub(super) key: Box<str>,
    pub(super) value: Box<str>,
    pub(super) node: usize,
}

/// Compiles paths, each with its cell. The root is node 0.
///
/// # Errors
/// A message that names the path and what is wrong with it.
pub(super) fn compile<'p>(
    paths: impl Iterator<Item = (usize, &'p str)>,
    part: TreePart<'_>,
) -> Result<Vec<PathNode>, String> {
    let root = PathNode {
        path: part.prefix.to_owned(),
        place: part.first_place,
        has_data_as_keys: part.has_data_as_keys,
        ..PathNode::default()
    };
    let mut nodes = vec![root];
    for (field, path) in paths {
        let mut at = 0;
        let mut steps = parse_path(path)?;
        let is_count = steps.len() > 1 && steps.last() == Some(&PathStep::Key(COUNT));
        if is_count {
            steps.pop();
        }
        for step in steps {
            at = next_node(&mut nodes, at, &step, part.first_place);
        }
        let cell = if is_count { &mut nodes[at].count } else { &mut nodes[at].field };
        *cell = Some(field);
    }
    let mut at = 0;
    for key in part.passed_over {
        at = next_node(&mut nodes, at, &PathStep::Key(key), part.first_place);
    }
    nodes[at].is_passed_over = !part.passed_over.is_empty();
    Ok(nodes)
}

/// The node that a step from node `at` leads to; it is added if there is none.
fn next_node(nodes: &mut Vec<PathNode>, at: usize, step: &PathStep<'_>, first_place: usize) -> usize {
    let next = nodes.len();
    let found = child_node(&mut nodes[at], step, next);
    if found == next {
        let path = match step {
            PathStep::Key(key) if nodes[at].path.is_empty() => (*key).to_owned(),
            PathStep::Key(key) => format!("{}.{key}", nodes[at].path),
            PathStep::Element(_) | PathStep::Filter(..) => nodes[at].path.clone(),
        };
        nodes.push(PathNode { path, place: first_place + next, ..PathNode::default() });
    }
    found
}

/// The child of `node` for a step; adds it as node `next` if there is none.
fn child_node(node: &mut PathNode, step: &PathStep<'_>, next: usize) -> usize {
    match step {
        PathStep::Key(key) => {
            if let Some((_, found)) = node.keys.iter().find(|(name, _)| **name == **key) {
                return *found;
            }
            node.keys.push(((*key).into(), next));
        }
        PathStep::Element(index) => {
            if let Some((_, found)) = node.elements.iter().find(|(at, _)| at == index) {
                return *found;
            }
            node.elements.push((*index, next));
        }
        PathStep::Filter(key, value) => {
            if let Some(found) = node.filters.iter().find(|filter| *filter.key == **key && *filter.value == **value) {
                return found.node;
            }
            node.filters.push(ElementFilter { key: (*key).into(), value: (*value).into(), node: next });
        }
    }
    next
}
