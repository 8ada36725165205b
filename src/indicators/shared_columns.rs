//! Expressions of several rule sets and indicators as columns of one plan, each computed once.
//!
//! Rule sets differ in few settings, so that most of their facts are the same expression over the same columns; and the
//! sums of an indicator have most of their conditions in common. An expression that is needed more than once becomes a
//! column; what is needed once stays inside the expression that needs it.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use crate::expressions::{Expression, FactTable, Settings, Stage};
use crate::indicators::polars_expressions::FactRenderer;

/// Expressions by number: equal ones have one number, whoever needs them.
#[derive(Debug, Default)]
pub(super) struct SharedColumns {
    nodes: Vec<Node>,
    numbers: PlHashMap<Form, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    /// The columns of an expression with parts are numbers of nodes; an expression without parts is what it is.
    Expression(Expression),
    /// A fact of this name that a rule set leaves without a value. Its column has the fact's type.
    NoValue(String),
}

#[derive(Debug)]
struct Node {
    form: Form,
    /// Whether the plan's rows have it.
    is_wanted: bool,
}

/// What names mean: facts by the number of their expression. Any other name is a column of the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(BTreeMap<String, usize>);

/// A column that a plan computes.
struct PlannedColumn {
    name: PlSmallStr,
    expr: Expr,
    reads: Vec<PlSmallStr>,
}

impl Form {
    /// The numbers of its parts.
    fn parts(&self) -> Vec<usize> {
        match self {
            Self::Expression(expression) => expression.parts().into_iter().map(number_in).collect(),
            Self::NoValue(_) => Vec::new(),
        }
    }

    /// Whether it is a column of the rows. A column of a look-up is computed.
    fn is_stored(&self) -> bool {
        matches!(self, Self::Expression(Expression::Column(name)) if !name.contains('.'))
    }

    fn is_literal(&self) -> bool {
        let Self::Expression(expression) = self else { return false };
        expression.parts().is_empty() && !matches!(expression, Expression::Column(_))
    }
}

fn number_in(part: &Expression) -> usize {
    let Expression::Column(number) = part else { unreachable!("the parts of a node are numbers") };
    number.parse().expect("the parts of a node are numbers")
}

impl SharedColumns {
    /// The number of an expression.
    pub(super) fn number(&mut self, expression: &Expression, names: &Names) -> usize {
        if let Expression::Column(name) = expression
            && let Some(number) = names.0.get(name)
        {
            return *number;
        }
        let form = expression.map_parts(&mut |part| Expression::Column(self.number(part, names).to_string()));
        self.node(Form::Expression(form))
    }

    fn node(&mut self, form: Form) -> usize {
        if let Some(number) = self.numbers.get(&form) {
            return *number;
        }
        self.numbers.insert(form.clone(), self.nodes.len());
        self.nodes.push(Node { form, is_wanted: false });
        self.nodes.len() - 1
    }

    /// The facts of a stage under settings, with what `names` already has.
    pub(super) fn add_facts(&mut self, table: &FactTable, stage: Stage, settings: &Settings, names: &mut Names) {
        for layer in table.layers(stage, settings) {
            // A fact may bear the name of a column that others of its layer read.
            let numbers: Vec<(String, usize)> = layer
                .into_iter()
                .map(|(fact, expression)| {
                    let number = match expression {
                        Expression::Null => self.node(Form::NoValue(fact.name.clone())),
                        expression => self.number(&expression, names),
                    };
                    (fact.name.clone(), number)
                })
                .collect();
            names.0.extend(numbers);
        }
    }

    /// Makes a name mean a column of the rows.
    pub(super) fn rename(&mut self, name: &str, column: &str, names: &mut Names) {
        let number = self.node(Form::Expression(Expression::column(column)));
        names.0.insert(name.to_owned(), number);
    }

    /// The column that has an expression in the plan's rows.
    pub(super) fn want(&mut self, expression: &Expression, names: &Names) -> PlSmallStr {
        let number = self.number(expression, names);
        self.nodes[number].is_wanted = true;
        self.name(number)
    }

    fn name(&self, number: usize) -> PlSmallStr {
        match &self.nodes[number].form {
            Form::Expression(Expression::Column(name)) if self.nodes[number].form.is_stored() => name.into(),
            _ => format!("shared{number}").into(),
        }
    }

    /// For each node whether it is a column of its own: it is wanted, or needed more than once.
    fn computed(&self) -> Vec<bool> {
        // How many of the expressions that are needed have it as a part. A part has a smaller number than the whole.
        let mut uses = vec![0; self.nodes.len()];
        for (number, node) in self.nodes.iter().enumerate().rev() {
            if node.is_wanted || uses[number] > 0 {
                node.form.parts().into_iter().for_each(|part| uses[part] += 1);
            }
        }
        let is_computed = |(node, uses): (&Node, usize)| match &node.form {
            Form::NoValue(_) => node.is_wanted || uses > 0,
            form @ Form::Expression(_) => !form.is_stored() && (node.is_wanted || uses > 1 && !form.is_literal()),
        };
        self.nodes.iter().zip(uses).map(is_computed).collect()
    }

    /// The expression of a node, over columns.
    fn expression(&self, number: usize, computed: &[bool]) -> Expression {
        let Form::Expression(form) = &self.nodes[number].form else { return Expression::Null };
        form.map_parts(&mut |part| match number_in(part) {
            part if computed[part] => Expression::column(&self.name(part)),
            part => self.expression(part, computed),
        })
    }

    /// The rows with the columns that are wanted and no others.
    pub(super) fn plan(&self, rows: LazyFrame, renderer: &FactRenderer<'_>) -> LazyFrame {
        let layers = self.layers(renderer);
        let wanted = (0..self.nodes.len()).filter(|number| self.nodes[*number].is_wanted);
        let wanted: BTreeSet<PlSmallStr> = wanted.map(|number| self.name(number)).collect();
        // Which columns are read after each layer: those that are not are left out, because a batch of rows has
        // hundreds of columns in all.
        let mut read_after = vec![wanted];
        for layer in layers.iter().rev() {
            let after = read_after.last().expect("it begins with what is wanted");
            let computed: BTreeSet<&PlSmallStr> = layer.iter().map(|column| &column.name).collect();
            let kept = after.iter().filter(|name| !computed.contains(name));
            let read = kept.chain(layer.iter().flat_map(|column| &column.reads)).cloned().collect();
            read_after.push(read);
        }
        read_after.reverse();
        let mut plan = rows.select(read_after[0].iter().map(|name| col(name.clone())).collect::<Vec<_>>());
        for (layer, after) in layers.iter().zip(&read_after[1..]) {
            let computed: BTreeSet<&PlSmallStr> = layer.iter().map(|column| &column.name).collect();
            let kept = after.iter().filter(|name| !computed.contains(name)).map(|name| col(name.clone()));
            let kept = kept.chain(layer.iter().map(|column| column.expr.clone()));
            plan = plan.select(kept.collect::<Vec<_>>());
        }
        plan
    }

    /// The computed columns in layers: each reads only columns of earlier ones.
    fn layers(&self, renderer: &FactRenderer<'_>) -> Vec<Vec<PlannedColumn>> {
        let computed = self.computed();
        let mut depths: Vec<usize> = Vec::with_capacity(self.nodes.len());
        let mut layers: Vec<Vec<PlannedColumn>> = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let below = node.form.parts().into_iter().map(|part| depths[part]).max().unwrap_or(0);
            depths.push(below + usize::from(computed[number]));
            if !computed[number] {
                continue;
            }
            let expr = match &node.form {
                Form::NoValue(fact) => renderer.no_value(fact),
                Form::Expression(_) => renderer.expression(&self.expression(number, &computed)),
            };
            let reads = expr.clone().meta().root_names();
            let name = self.name(number);
            if layers.len() <= below {
                layers.resize_with(below + 1, Vec::new);
            }
            layers[below].push(PlannedColumn { expr: expr.alias(name.clone()), name, reads });
        }
        layers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expressions::{dossier_facts, parse};

    fn renderer() -> FactRenderer<'static> {
        FactRenderer { table: dossier_facts(), days: None, lookup: &|name| unreachable!("{name}"), order: &[] }
    }

    fn parsed(text: &str) -> Expression {
        parse(text).expect("it is in the language")
    }

    /// How many columns are computed in all, and the wanted ones of two rows.
    fn computed(wanted: &[(&str, &Names)], mut columns: SharedColumns) -> (usize, Vec<Vec<Option<bool>>>) {
        let names: Vec<PlSmallStr> = wanted.iter().map(|(text, names)| columns.want(&parsed(text), names)).collect();
        let rows = df!("a" => [1_i64, 5], "b" => [3_i64, 3], "flag" => [Some(true), None]).expect("a frame");
        let found = columns.plan(rows.lazy(), &renderer()).collect().expect("it collects");
        let flags =
            |name: &PlSmallStr| found.column(name).expect("it is wanted").bool().expect("flags").iter().collect();
        let count = columns.layers(&renderer()).iter().map(Vec::len).sum();
        (count, names.iter().map(flags).collect())
    }

    #[test]
    fn an_expression_that_is_needed_twice_is_one_column() {
        let names = Names::default();
        let wanted = ["a < b AND flag", "NOT (a < b)", "a < b AND flag", "flag"].map(|text| (text, &names));
        let (count, flags) = computed(&wanted, SharedColumns::default());
        // `a < b`, the first and the second; `flag` is a column already.
        assert_eq!(count, 3);
        let [true_, false_] = [Some(true), Some(false)];
        let both = vec![true_, false_];
        assert_eq!(flags, [both.clone(), vec![false_, true_], both, vec![true_, None]]);
    }

    #[test]
    fn a_name_means_what_its_rule_set_says() {
        let mut columns = SharedColumns::default();
        let (mut one, mut other) = (Names::default(), Names::default());
        columns.rename("limit", "a", &mut one);
        columns.rename("limit", "b", &mut other);
        let (count, flags) = computed(&[("limit = 3", &one), ("limit = 3", &other), ("b = 3", &one)], columns);
        assert_eq!(count, 2);
        let [both, neither] = [true, false].map(|flag| vec![Some(flag); 2]);
        assert_eq!(flags, [neither, both.clone(), both]);
    }

    #[test]
    fn constants_fill_every_row() {
        let names = Names::default();
        let (_, flags) = computed(&[("TRUE", &names), ("a < b", &names)], SharedColumns::default());
        assert_eq!(flags[0], [Some(true), Some(true)]);
    }
}
