//! The directives of a format text: flags, argument numbers, width, precision, verb.

use crate::builtins::Failure;
use crate::builtins::output::Text;

/// Widths, precisions and argument numbers beyond this are malformed.
const NUMBER_MAX: usize = 1_000_000;

/// Flags, width and precision of one directive.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::builtins) struct Flags {
    pub(in crate::builtins) minus: bool,
    pub(in crate::builtins) plus: bool,
    pub(in crate::builtins) sharp: bool,
    pub(in crate::builtins) space: bool,
    pub(in crate::builtins) zero: bool,
    /// `%+v` and `%#v`: there the flags mean something else.
    pub(in crate::builtins) plus_v: bool,
    pub(in crate::builtins) sharp_v: bool,
    pub(in crate::builtins) width: Option<usize>,
    pub(in crate::builtins) precision: Option<usize>,
}

/// What to print for one directive.
#[derive(Clone, Copy, Debug)]
pub(in crate::builtins) enum Action {
    /// An argument with a verb.
    Print(usize, char),
    /// `%%`
    Percent,
    /// `%!v(BADINDEX)`
    BadIndex(char),
    /// `%!v(MISSING)`
    Missing(char),
    /// The text ends before the verb.
    NoVerb,
}

/// One directive.
#[derive(Debug)]
pub(in crate::builtins) struct Directive {
    pub(in crate::builtins) flags: Flags,
    pub(in crate::builtins) action: Action,
    /// A `*` found no usable width.
    pub(in crate::builtins) bad_width: bool,
    /// A `*` found no usable precision.
    pub(in crate::builtins) bad_precision: bool,
}

impl Directive {
    /// Prints what is wrong with the width and the precision.
    pub(in crate::builtins) fn complain(&self, out: &mut Text<'_>) -> Result<(), Failure> {
        if self.bad_width {
            out.push_str("%!(BADWIDTH)")?;
        }
        if self.bad_precision {
            out.push_str("%!(BADPREC)")?;
        }
        Ok(())
    }
}

impl Action {
    /// Prints what takes no argument.
    pub(in crate::builtins) fn print_itself(self, out: &mut Text<'_>) -> Result<(), Failure> {
        match self {
            Action::Print(..) => Ok(()),
            Action::Percent => out.push('%'),
            Action::BadIndex(verb) => out.format(format_args!("%!{verb}(BADINDEX)")),
            Action::Missing(verb) => out.format(format_args!("%!{verb}(MISSING)")),
            Action::NoVerb => out.push_str("%!(NOVERB)"),
        }
    }
}

/// Reads directives from behind their `%`.
pub(in crate::builtins) struct Reader<'f> {
    pub(in crate::builtins) rest: &'f str,
    /// Number of arguments.
    count: usize,
    /// The arguments that are integers, for `*`.
    int: &'f dyn Fn(usize) -> Option<i64>,
    /// The argument that the next directive takes.
    pub(in crate::builtins) next: usize,
    /// Argument numbers were used: leftover arguments are no error then.
    pub(in crate::builtins) reordered: bool,
    good_index: bool,
    after_index: bool,
    /// No bracket closes any more: nobody needs to look for one again.
    are_brackets_open: bool,
}

impl<'f> Reader<'f> {
    pub(in crate::builtins) fn new(
        format: &'f str,
        count: usize,
        int: &'f dyn Fn(usize) -> Option<i64>,
    ) -> Reader<'f> {
        Reader {
            rest: format,
            count,
            int,
            next: 0,
            reordered: false,
            good_index: true,
            after_index: false,
            are_brackets_open: false,
        }
    }

    /// The next directive; `rest` stands behind a `%`.
    pub(in crate::builtins) fn directive(&mut self) -> Directive {
        (self.good_index, self.after_index) = (true, false);
        let mut flags = self.flags();
        let simple = self.rest.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let (mut bad_width, mut bad_precision) = (false, false);
        if !simple || self.next >= self.count {
            self.index();
            bad_width = self.width(&mut flags);
            bad_precision = self.precision(&mut flags);
            if !self.after_index {
                self.index();
            }
        }
        let action = self.action(&mut flags);
        Directive {
            flags,
            action,
            bad_width,
            bad_precision,
        }
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            match self.rest.bytes().next() {
                Some(b'#') => flags.sharp = true,
                Some(b'0') => flags.zero = true,
                Some(b'+') => flags.plus = true,
                Some(b'-') => flags.minus = true,
                Some(b' ') => flags.space = true,
                _ => return flags,
            }
            self.skip(1);
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    /// `[n]`
    fn index(&mut self) {
        self.after_index = false;
        if !self.rest.starts_with('[') {
            return;
        }
        self.reordered = true;
        let end = match self.are_brackets_open {
            true => None,
            false => self.rest.find(']'),
        };
        self.are_brackets_open = end.is_none();
        let end = end.filter(|_| self.rest.len() >= 3);
        let index = end.and_then(|end| self.rest.get(1..end)).and_then(whole_number);
        self.skip(end.map_or(1, |end| end + 1));
        match index.and_then(|index| index.checked_sub(1)) {
            Some(index) if index < self.count => {
                self.next = index;
                self.after_index = true;
            }
            _ => {
                self.good_index = false;
                self.after_index = index.is_some();
            }
        }
    }

    /// `n` or `*`; whether a `*` found no number.
    fn width(&mut self, flags: &mut Flags) -> bool {
        if self.rest.starts_with('*') {
            self.skip(1);
            let number = self.star();
            if number.is_some_and(|number| number < 0) {
                flags.minus = true;
                flags.zero = false;
            }
            flags.width = number.map(|number| number.unsigned_abs() as usize);
            self.after_index = false;
            return flags.width.is_none();
        }
        flags.width = self.number();
        if self.after_index && flags.width.is_some() {
            self.good_index = false;
        }
        false
    }

    /// `.n`, `.` or `.*`; whether a `*` found no number.
    fn precision(&mut self, flags: &mut Flags) -> bool {
        if !self.rest.starts_with('.') || self.rest.len() < 2 {
            return false;
        }
        self.skip(1);
        if self.after_index {
            self.good_index = false;
        }
        self.index();
        if self.rest.starts_with('*') {
            self.skip(1);
            flags.precision = self.star().and_then(|number| usize::try_from(number).ok());
            self.after_index = false;
            return flags.precision.is_none();
        }
        flags.precision = Some(self.number().unwrap_or(0));
        false
    }

    /// The integer argument of a `*`.
    fn star(&mut self) -> Option<i64> {
        if self.next >= self.count {
            return None;
        }
        self.next += 1;
        let int = (self.int)(self.next - 1)?;
        (int.unsigned_abs() <= NUMBER_MAX as u64).then_some(int)
    }

    /// Digits; a number that is too long swallows the rest of the format, as in Go.
    fn number(&mut self) -> Option<usize> {
        let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let mut number = 0_usize;
        for digit in self.rest.bytes().take(count) {
            if number > NUMBER_MAX {
                self.rest = "";
                return None;
            }
            number = number * 10 + usize::from(digit - b'0');
        }
        self.skip(count);
        (count > 0).then_some(number)
    }

    fn action(&mut self, flags: &mut Flags) -> Action {
        let Some(verb) = self.rest.chars().next() else {
            return Action::NoVerb;
        };
        self.skip(verb.len_utf8());
        if verb == '%' {
            return Action::Percent;
        }
        if !self.good_index {
            return Action::BadIndex(verb);
        }
        if self.next >= self.count {
            return Action::Missing(verb);
        }
        if matches!(verb, 'v' | 'w') {
            (flags.sharp_v, flags.sharp) = (flags.sharp, false);
            (flags.plus_v, flags.plus) = (flags.plus, false);
        }
        self.next += 1;
        Action::Print(self.next - 1, verb)
    }
}

/// An argument number: digits and nothing else.
fn whole_number(text: &str) -> Option<usize> {
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = if all_digits { text.parse().ok() } else { None };
    number.filter(|number: &usize| *number <= 10 * NUMBER_MAX + 9)
}
