//! Reads a pattern in Go's syntax and builds the engine's representation of it.
//!
//! One pass without recursion: open groups are a stack of frames, and what a repetition applies to is the last item of the
//! innermost one. Errors carry the fragment that Go's parser names.

mod escapes;

use regex_syntax::hir::{Capture, Class, ClassUnicode, Dot, Hir, Look, Repetition};

use super::error::{Re2Error, Re2ErrorKind};
use super::fold;

/// The largest count in a repetition, and the largest product of nested ones.
const REPEAT_MAX: u64 = 1000;
/// The largest nesting.
const HEIGHT_MAX: usize = 1000;
/// The largest number of instructions that Go would make of a pattern.
const SIZE_MAX: u64 = (128 << 20) / 40;

/// A pattern in the engine's representation.
#[derive(Clone, Debug)]
pub struct Translation {
    /// What matches. Groups are numbered and have no names, because Go allows one name for several groups.
    pub hir: Hir,
    /// Name of each group; the whole match is group 0.
    pub group_names: Vec<Option<Box<str>>>,
    /// Whether a `|` stands outside of all groups.
    pub has_branches: bool,
}

impl Translation {
    /// Whether every match starts at the start of the text and ends at its end.
    #[must_use]
    pub fn is_anchored(&self) -> bool {
        let properties = self.hir.properties();
        properties.look_set_prefix().contains(Look::Start) && properties.look_set_suffix().contains(Look::End)
    }
}

/// Translates a pattern.
///
/// # Errors
/// What Go would refuse, in Go's words.
pub fn translate(pattern: &str) -> Result<Translation, Re2Error> {
    let mut parser = Parser {
        pattern,
        at: 0,
        flags: Flags::default(),
        frames: vec![Frame::default()],
        group_names: vec![None],
    };
    parser.run()?;
    let Parser {
        mut frames,
        group_names,
        ..
    } = parser;
    let (Some(frame), true) = (frames.pop(), frames.is_empty()) else {
        return Err(Re2Error::new(Re2ErrorKind::MissingParen, pattern));
    };
    let has_branches = !frame.branches.is_empty();
    let whole = frame.close();
    whole.check_limits(pattern)?;
    Ok(Translation {
        hir: whole.hir,
        group_names,
        has_branches,
    })
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// A finished part of the pattern, with what the limits need to know of it.
struct Item {
    hir: Hir,
    /// Largest product of counts of nested repetitions.
    repeats: u64,
    height: usize,
    size: u64,
}

impl Item {
    fn leaf(hir: Hir) -> Item {
        Item {
            hir,
            repeats: 1,
            height: 1,
            size: 1,
        }
    }

    fn join(items: Vec<Item>, extra: u64, build: fn(Vec<Hir>) -> Hir) -> Item {
        let repeats = items.iter().map(|item| item.repeats).max().unwrap_or(1);
        let height = 1 + items.iter().map(|item| item.height).max().unwrap_or(0);
        let size = items
            .iter()
            .fold(extra, |sum, item| sum.saturating_add(item.size))
            .max(1);
        Item {
            hir: build(items.into_iter().map(|item| item.hir).collect()),
            repeats,
            height,
            size,
        }
    }

    fn check_limits(&self, pattern: &str) -> Result<(), Re2Error> {
        if self.height > HEIGHT_MAX {
            return Err(Re2Error::new(Re2ErrorKind::NestingDepth, pattern));
        }
        if self.size > SIZE_MAX {
            return Err(Re2Error::new(Re2ErrorKind::Large, pattern));
        }
        Ok(())
    }
}

/// An open group.
#[derive(Default)]
struct Frame {
    /// Branches in front of the last `|`.
    branches: Vec<Item>,
    /// The branch being read.
    items: Vec<Item>,
    /// Number of the group, if it captures.
    capture: Option<u32>,
    /// Flags to return to.
    outer_flags: Flags,
}

impl Frame {
    fn close_branch(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        let branch = match items.pop() {
            Some(only) if items.is_empty() => only,
            Some(last) => {
                items.push(last);
                Item::join(items, 0, Hir::concat)
            }
            None => Item::leaf(Hir::empty()),
        };
        self.branches.push(branch);
    }

    fn close(mut self) -> Item {
        self.close_branch();
        let mut branches = self.branches;
        let mut whole = match branches.pop() {
            Some(only) if branches.is_empty() => only,
            Some(last) => {
                branches.push(last);
                let splits = u64::try_from(branches.len() - 1).unwrap_or(u64::MAX);
                Item::join(branches, splits, Hir::alternation)
            }
            None => Item::leaf(Hir::empty()),
        };
        if let Some(index) = self.capture {
            whole.hir = Hir::capture(Capture {
                index,
                name: None,
                sub: Box::new(whole.hir),
            });
            whole.height += 1;
            whole.size = whole.size.saturating_add(2);
        }
        whole
    }
}

struct Parser<'p> {
    pattern: &'p str,
    at: usize,
    flags: Flags,
    frames: Vec<Frame>,
    group_names: Vec<Option<Box<str>>>,
}

impl<'p> Parser<'p> {
    fn rest(&self) -> &'p str {
        self.pattern.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// An error about the text from `start` to the current place.
    fn error_since(&self, kind: Re2ErrorKind, start: usize) -> Re2Error {
        Re2Error::new(kind, self.pattern.get(start..self.at).unwrap_or(""))
    }

    fn push(&mut self, hir: Hir) {
        if let Some(frame) = self.frames.last_mut() {
            frame.items.push(Item::leaf(hir));
        }
    }

    fn push_class(&mut self, class: ClassUnicode) {
        self.push(Hir::class(Class::Unicode(class)));
    }

    fn run(&mut self) -> Result<(), Re2Error> {
        // Where the repetition in front of the current place starts, if there is one.
        let mut last_repeat = None;
        while let Some(c) = self.peek() {
            let start = self.at;
            let mut repeat = None;
            match c {
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '|' => {
                    self.at += 1;
                    self.frames.last_mut().into_iter().for_each(Frame::close_branch);
                }
                '[' => self.bracket_class()?,
                '*' | '+' | '?' => {
                    self.at += 1;
                    let (min, max) = match c {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(min, max, false, start, last_repeat)?;
                    repeat = Some(start);
                }
                '{' => match self.counts()? {
                    Some((min, max)) => {
                        self.repeat(min, max, true, start, last_repeat)?;
                        repeat = Some(start);
                    }
                    None => self.literal(),
                },
                '\\' => self.escaped()?,
                '^' | '$' | '.' => self.assertion_or_dot(c),
                _ => self.literal(),
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    fn literal(&mut self) {
        if let Some(c) = self.next() {
            self.push(fold::character(c, self.flags.fold));
        }
    }

    fn assertion_or_dot(&mut self, c: char) {
        self.at += 1;
        let hir = match (c, self.flags.multi_line) {
            ('^', false) => Hir::look(Look::Start),
            ('^', true) => Hir::look(Look::StartLF),
            ('$', false) => Hir::look(Look::End),
            ('$', true) => Hir::look(Look::EndLF),
            _ if self.flags.dot_newline => Hir::dot(Dot::AnyChar),
            _ => Hir::dot(Dot::AnyCharExceptLF),
        };
        self.push(hir);
    }

    fn open_group(&mut self) -> Result<(), Re2Error> {
        let start = self.at;
        let rest = self.rest();
        if !rest.starts_with("(?") {
            self.at += 1;
            self.open_capture(None);
            return Ok(());
        }
        let prefix = if rest.len() > 4 && rest.starts_with("(?P<") {
            Some(4)
        } else if rest.len() > 3 && rest.starts_with("(?<") {
            Some(3)
        } else {
            None
        };
        let Some(prefix) = prefix else {
            return self.group_flags(start);
        };
        let Some(end) = rest.find('>') else {
            return Err(Re2Error::new(Re2ErrorKind::NamedCapture, rest));
        };
        let name = rest.get(prefix..end).unwrap_or("");
        self.at += end + 1;
        if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
            return Err(self.error_since(Re2ErrorKind::NamedCapture, start));
        }
        self.open_capture(Some(name.into()));
        Ok(())
    }

    fn open_capture(&mut self, name: Option<Box<str>>) {
        let capture = u32::try_from(self.group_names.len()).ok();
        self.group_names.push(name);
        self.frames.push(Frame {
            capture,
            outer_flags: self.flags,
            ..Frame::default()
        });
    }

    /// `(?i)`, `(?i-s:…)` and the like.
    fn group_flags(&mut self, start: usize) -> Result<(), Re2Error> {
        self.at += 2;
        let mut flags = self.flags;
        let mut on = true;
        let mut saw_flag = false;
        while let Some(c) = self.next() {
            match c {
                'i' => flags.fold = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_newline = on,
                'U' => flags.swap_greed = on,
                '-' if on => {
                    on = false;
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if on || saw_flag => {
                    if c == ':' {
                        self.frames.push(Frame {
                            outer_flags: self.flags,
                            ..Frame::default()
                        });
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        Err(self.error_since(Re2ErrorKind::PerlSyntax, start))
    }

    fn close_group(&mut self) -> Result<(), Re2Error> {
        self.at += 1;
        let closed = if self.frames.len() > 1 {
            self.frames.pop()
        } else {
            None
        };
        let Some(frame) = closed else {
            return Err(Re2Error::new(Re2ErrorKind::UnexpectedParen, self.pattern));
        };
        self.flags = frame.outer_flags;
        let item = frame.close();
        item.check_limits(self.pattern)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.items.push(item);
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,3}`; nothing, and no step forward, if the brace is a literal.
    fn counts(&mut self) -> Result<Option<(u32, Option<u32>)>, Re2Error> {
        let start = self.at;
        self.at += 1;
        let parsed = self.counts_body();
        let Some((min, max)) = parsed else {
            self.at = start;
            return Ok(None);
        };
        let too_large = min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX || max < min);
        if too_large {
            return Err(self.error_since(Re2ErrorKind::RepeatSize, start));
        }
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Some((small(min), max.map(small))))
    }

    fn counts_body(&mut self) -> Option<(u64, Option<u64>)> {
        let min = self.count()?;
        if !self.eat(",") {
            return self.eat("}").then_some((min, Some(min)));
        }
        if self.eat("}") {
            return Some((min, None));
        }
        let max = self.count()?;
        self.eat("}").then_some((min, Some(max)))
    }

    /// A decimal number without leading zeros; too large ones saturate.
    fn count(&mut self) -> Option<u64> {
        let rest = self.rest();
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = rest.get(..len).filter(|digits| !digits.is_empty())?;
        if len > 1 && digits.starts_with('0') {
            return None;
        }
        self.at += len;
        Some(digits.parse().unwrap_or(u64::MAX))
    }

    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        counted: bool,
        start: usize,
        last_repeat: Option<usize>,
    ) -> Result<(), Re2Error> {
        let lazy = self.eat("?");
        if let Some(last) = last_repeat {
            return Err(self.error_since(Re2ErrorKind::RepeatOp, last));
        }
        let item = self.frames.last_mut().and_then(|frame| frame.items.pop());
        let Some(Item {
            hir,
            repeats,
            height,
            size,
        }) = item
        else {
            return Err(self.error_since(Re2ErrorKind::MissingRepeatArgument, start));
        };
        let count = u64::from(max.unwrap_or(min));
        let repeats = if !counted || max.is_none() && count == 0 {
            repeats
        } else {
            repeats.saturating_mul(count)
        };
        if counted && count >= 2 && repeats > REPEAT_MAX {
            return Err(self.error_since(Re2ErrorKind::RepeatSize, start));
        }
        let size = match max {
            None if min == 0 => size.saturating_add(2),
            None => size.saturating_mul(u64::from(min)).saturating_add(1),
            Some(max) => size
                .saturating_mul(u64::from(max))
                .saturating_add(u64::from(max - min)),
        };
        let greedy = lazy == self.flags.swap_greed;
        let hir = Hir::repetition(Repetition {
            min,
            max,
            greedy,
            sub: Box::new(hir),
        });
        let item = Item {
            hir,
            repeats,
            height: height + 1,
            size: size.max(1),
        };
        item.check_limits(self.pattern)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.items.push(item);
        }
        Ok(())
    }
}
