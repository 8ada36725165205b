//! The tokens of a date format, and what must hold of them.

/// Brackets inside each other. Real formats have two.
pub(super) const MAX_DEPTH: usize = 8;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Year,
    /// Two digits.
    ShortYear,
    Month {
        short: bool,
    },
    MonthName,
    Day {
        short: bool,
    },
    Hour {
        short: bool,
    },
    TwelveHour {
        short: bool,
    },
    HalfDay,
    Minute,
    Second,
    Fraction,
    Offset,
    Literal(u8),
    Optional(Vec<Token>),
}

impl Token {
    pub(super) fn is_year(&self) -> bool {
        matches!(self, Self::Year | Self::ShortYear)
    }

    pub(super) fn is_month(&self) -> bool {
        matches!(self, Self::Month { .. } | Self::MonthName)
    }

    fn is_day(&self) -> bool {
        matches!(self, Self::Day { .. })
    }

    /// Whether its text may have fewer or more characters, and digits among the last ones.
    fn has_open_end(&self) -> bool {
        match self {
            Self::Month { short } | Self::Day { short } | Self::Hour { short } | Self::TwelveHour { short } => *short,
            Self::Fraction | Self::Offset => true,
            _ => false,
        }
    }
}

/// Whether every hour from 1 to 12 has the half of the day in the same brackets: without it, 2:30 may be 14:30.
pub(super) fn has_halves(tokens: &[Token]) -> bool {
    let is_here = |wanted: &dyn Fn(&Token) -> bool| tokens.iter().any(wanted);
    let twelve = is_here(&|token| matches!(token, Token::TwelveHour { .. }));
    let inner = tokens.iter().all(|token| if let Token::Optional(inner) = token { has_halves(inner) } else { true });
    (!twelve || is_here(&|token| *token == Token::HalfDay)) && inner
}

/// Whether a token is among `tokens`, optional ones included.
pub(super) fn has(tokens: &[Token], wanted: &dyn Fn(&Token) -> bool) -> bool {
    tokens.iter().any(|token| match token {
        Token::Optional(inner) => has(inner, wanted),
        token => wanted(token),
    })
}

/// Whether the year, the month and the day are stated at most once, brackets included: two could contradict each other.
pub(super) fn is_stated_once(tokens: &[Token]) -> bool {
    fn count(tokens: &[Token], wanted: fn(&Token) -> bool) -> usize {
        let of = |token: &Token| match token {
            Token::Optional(inner) => count(inner, wanted),
            token => usize::from(wanted(token)),
        };
        tokens.iter().map(of).sum()
    }
    [Token::is_year, Token::is_month, Token::is_day].into_iter().all(|wanted| count(tokens, wanted) <= 1)
}

/// Whether a text of these tokens may begin with a digit. `after`: whether that is so of what stands behind them.
fn may_begin_with_digit(tokens: &[Token], after: bool) -> bool {
    match tokens.split_first() {
        None => after,
        Some((Token::Optional(inner), rest)) => {
            let rest = may_begin_with_digit(rest, after);
            rest || may_begin_with_digit(inner, rest)
        }
        Some((Token::Literal(byte), _)) => byte.is_ascii_digit(),
        Some((Token::HalfDay | Token::MonthName | Token::Offset, _)) => false,
        Some(_) => true,
    }
}

/// Whether a token whose text has no fixed length may have digits right behind it. `after`: as above.
pub(super) fn runs_together(tokens: &[Token], after: bool) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        let next = may_begin_with_digit(&tokens[at + 1..], after);
        match token {
            Token::Optional(inner) => runs_together(inner, next),
            token => next && token.has_open_end(),
        }
    })
}
