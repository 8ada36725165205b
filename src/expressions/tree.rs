//! The tree of an expression.

use std::fmt;

use strum::{EnumString, IntoStaticStr};

/// A condition or a value over the columns of one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expression {
    /// A column: a fact, a column of the table, or a column of a look-up (`procedure.sector`).
    Column(String),
    /// A setting of the rule set (`rules.compare`) or of the night (`night.now`). [`fold`](crate::expressions::fold)
    /// replaces it by its value.
    Setting(String),
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    Arithmetic(Operation, Box<Self>, Box<Self>),
    IsNull(Box<Self>),
    /// True if the condition is true, false if it is false or null.
    IsTrue(Box<Self>),
    /// The value equals one of the list. An empty list is false.
    OneOf(Box<Self>, Vec<Self>),
    /// Conditions with their values; then the value if none of them is true.
    Case(Vec<(Self, Self)>, Box<Self>),
    /// `COALESCE`: the first that is not null.
    First(Vec<Self>),
    Call(Function, Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
}

/// The named functions. Instants are microseconds since 1970 in UTC, days are days since 1970 in Viet Nam.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Function {
    /// The day of an instant.
    LocalDay,
    /// Microseconds from midnight to an instant.
    TimeOfDay,
    /// The last microsecond of an instant's day.
    EndOfDay,
    /// `same_day_due(instant, cut_off)`: the end of the same working day, or of the next after the cut-off.
    SameDayDue,
    /// `statutory_due(instant, time, unit, cut_off)`: the last moment of a statutory time that starts at the instant.
    StatutoryDue,
    /// `working_hours(from, to)`: full working hours between two instants.
    WorkingHours,
    /// `first(list, 'word', value, …)`: the first value that is not null, in the order of a setting's list.
    First,
    /// `first_word(list, 'word', value, …)`: the word of that value.
    FirstWord,
    /// The last value that is not null, of the rows of a group in their order.
    Latest,
    /// Whether a condition is true for any row of a group.
    Some,
    /// The smallest value of a group.
    Earliest,
    /// The number of different values of a group.
    Count,
}

impl Function {
    /// Whether it needs the working calendar.
    #[must_use]
    pub fn counts_working_time(self) -> bool {
        matches!(self, Self::SameDayDue | Self::StatutoryDue | Self::WorkingHours)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Comparison {
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Operation {
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
        }
    }
}

impl Expression {
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self::Column(name.to_owned())
    }

    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }

    #[must_use]
    pub fn compared(self, comparison: Comparison, other: Self) -> Self {
        Self::Compare(comparison, Box::new(self), Box::new(other))
    }

    #[must_use]
    pub fn is_null(self) -> Self {
        Self::IsNull(Box::new(self))
    }

    /// The condition, with null read as false.
    #[must_use]
    pub fn is_true(self) -> Self {
        Self::IsTrue(Box::new(self))
    }

    /// The condition, with null read as true.
    #[must_use]
    pub fn is_not_false(self) -> Self {
        self.negated().is_true().negated()
    }

    /// The value if a condition is true, else another.
    #[must_use]
    pub fn case(condition: Self, value: Self, otherwise: Self) -> Self {
        Self::Case(vec![(condition, value)], Box::new(otherwise))
    }

    /// The expressions directly below this one.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Column(_) | Self::Setting(_) | Self::Null | Self::Flag(_) | Self::Number(_) | Self::Text(_) => {
                Vec::new()
            }
            Self::Not(one) | Self::IsNull(one) | Self::IsTrue(one) => vec![one],
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Compare(_, left, right)
            | Self::Arithmetic(_, left, right) => vec![left, right],
            Self::OneOf(value, list) => std::iter::once(&**value).chain(list).collect(),
            Self::Case(branches, otherwise) => {
                branches.iter().flat_map(|(condition, value)| [condition, value]).chain(Some(&**otherwise)).collect()
            }
            Self::First(list) | Self::Call(_, list) => list.iter().collect(),
        }
    }

    /// This expression with each part below it replaced.
    #[must_use]
    pub fn map_parts(&self, of: &mut dyn FnMut(&Self) -> Self) -> Self {
        let mut boxed = |one: &Self| Box::new(of(one));
        match self {
            Self::Column(_) | Self::Setting(_) | Self::Null | Self::Flag(_) | Self::Number(_) | Self::Text(_) => {
                self.clone()
            }
            Self::Not(one) => Self::Not(boxed(one)),
            Self::IsNull(one) => Self::IsNull(boxed(one)),
            Self::IsTrue(one) => Self::IsTrue(boxed(one)),
            Self::And(left, right) => Self::And(boxed(left), boxed(right)),
            Self::Or(left, right) => Self::Or(boxed(left), boxed(right)),
            Self::Compare(comparison, left, right) => Self::Compare(*comparison, boxed(left), boxed(right)),
            Self::Arithmetic(operation, left, right) => Self::Arithmetic(*operation, boxed(left), boxed(right)),
            Self::OneOf(value, list) => Self::OneOf(boxed(value), list.iter().map(of).collect()),
            Self::Case(branches, otherwise) => {
                let branches = branches.iter().map(|(condition, value)| (of(condition), of(value))).collect();
                Self::Case(branches, Box::new(of(otherwise)))
            }
            Self::First(list) => Self::First(list.iter().map(of).collect()),
            Self::Call(function, list) => Self::Call(*function, list.iter().map(of).collect()),
        }
    }

    /// This expression with columns replaced; `None` keeps a column.
    #[must_use]
    pub fn with_columns(&self, of: &dyn Fn(&str) -> Option<Self>) -> Self {
        match self {
            Self::Column(name) => of(name).unwrap_or_else(|| self.clone()),
            _ => self.map_parts(&mut |part| part.with_columns(of)),
        }
    }

    /// Whether a condition holds for this expression or one below it.
    pub fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self) || self.parts().into_iter().any(|part| part.any(is))
    }

    /// The names of its columns; a name can come several times.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Column(name) => vec![name],
            _ => self.parts().into_iter().flat_map(Self::columns).collect(),
        }
    }
}

/// The expression in the language that [`parse`](crate::expressions::parse()) reads.
impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &[Self]| items.iter().map(Self::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Column(name) | Self::Setting(name) => out.write_str(name),
            Self::Null => out.write_str("NULL"),
            Self::Flag(flag) => out.write_str(if *flag { "TRUE" } else { "FALSE" }),
            Self::Number(number) => write!(out, "{number}"),
            Self::Text(text) => write!(out, "'{}'", text.replace('\'', "''")),
            Self::Not(one) => write!(out, "NOT ({one})"),
            Self::And(left, right) => write!(out, "({left} AND {right})"),
            Self::Or(left, right) => write!(out, "({left} OR {right})"),
            Self::Compare(comparison, left, right) => write!(out, "({left} {} {right})", comparison.symbol()),
            Self::Arithmetic(operation, left, right) => write!(out, "({left} {} {right})", operation.symbol()),
            Self::IsNull(one) => write!(out, "({one} IS NULL)"),
            Self::IsTrue(one) => write!(out, "({one} IS TRUE)"),
            Self::OneOf(value, items) => write!(out, "({value} IN ({}))", list(items)),
            Self::Case(branches, otherwise) => {
                out.write_str("CASE")?;
                for (condition, value) in branches {
                    write!(out, " WHEN {condition} THEN {value}")?;
                }
                write!(out, " ELSE {otherwise} END")
            }
            Self::First(items) => write!(out, "COALESCE({})", list(items)),
            Self::Call(function, arguments) => write!(out, "{}({})", function.name(), list(arguments)),
        }
    }
}
