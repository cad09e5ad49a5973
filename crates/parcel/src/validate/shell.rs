//! Just enough of bash to know which commands a script runs when it is sourced.
//!
//! Not a parser: it knows quotes, comments, here-documents, substitutions, subshells and functions,
//! so that `exit` in a string, in `$( )` or in a function is not taken for one at the top level.

/// A command that runs in the shell that sources the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// The line it begins on, from 1.
    pub(crate) line: usize,
    /// Its words, quotes kept.
    pub(crate) words: Vec<String>,
    /// Whether its output goes to a file, another command or another stream.
    pub(crate) redirected: bool,
    /// Whether it is inside a function, and so runs when that is called.
    pub(crate) in_function: bool,
}

/// Words after which a command follows, like `then`.
const LEADING: [&str; 9] = [
    "if", "then", "else", "elif", "do", "while", "until", "!", "time",
];

/// The commands of a script that are not in a subshell or a substitution.
pub(crate) fn commands(script: &str) -> Vec<Command> {
    let mut scanner = Scanner {
        chars: script.chars().collect(),
        at: 0,
        line: 1,
        commands: Vec::new(),
        words: Vec::new(),
        word: String::new(),
        started: 1,
        redirected: false,
        subshells: 0,
        functions: Vec::new(),
        braces: 0,
        pending: Vec::new(),
    };
    scanner.run();
    scanner.commands
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    line: usize,
    commands: Vec<Command>,
    words: Vec<String>,
    word: String,
    started: usize,
    redirected: bool,
    subshells: usize,
    /// How many braces were open when each open function began.
    functions: Vec<usize>,
    braces: usize,
    /// Ends of here-documents that begin with the next line.
    pending: Vec<String>,
}

impl Scanner {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.at += 1;
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    /// Takes the next character into the word.
    fn keep(&mut self) {
        if let Some(character) = self.take() {
            self.word.push(character);
        }
    }

    fn run(&mut self) {
        while let Some(character) = self.peek(0) {
            match character {
                '#' if self.word.is_empty() => self.skip_line(),
                '\\' => {
                    self.take();
                    match self.take() {
                        Some('\n') | None => {}
                        Some(next) => {
                            self.word.push('\\');
                            self.word.push(next);
                        }
                    }
                }
                '\'' | '"' => self.quote(character),
                '`' => self.enclosed('`'),
                '$' if matches!(self.peek(1), Some('(' | '{')) => {
                    let close = if self.peek(1) == Some('(') { ')' } else { '}' };
                    self.take();
                    self.word.push('$');
                    self.enclosed(close);
                }
                '<' if self.peek(1) == Some('<') && self.peek(2) != Some('<') => self.here(),
                '>' | '<' => {
                    self.take();
                    self.redirected |= character == '>';
                    self.end_word();
                    while matches!(self.peek(0), Some('>' | '&' | '<' | '|')) {
                        self.take();
                    }
                }
                '|' if self.peek(1) != Some('|') => {
                    self.take();
                    self.redirected = true;
                    self.end_command();
                }
                ';' | '&' | '|' | '\n' => {
                    let newline = character == '\n';
                    self.end_command();
                    self.take();
                    if newline {
                        self.skip_documents();
                    }
                }
                '(' => self.open_parenthesis(),
                ')' => {
                    self.end_command();
                    self.take();
                    self.subshells = self.subshells.saturating_sub(1);
                }
                ' ' | '\t' | '\r' => {
                    self.end_word();
                    self.take();
                }
                _ => {
                    if self.word.is_empty() && self.words.is_empty() {
                        self.started = self.line;
                    }
                    self.word.push(character);
                    self.take();
                }
            }
        }
        self.end_command();
    }

    /// `name()` begins a function, `x=(` an array, anything else a subshell.
    fn open_parenthesis(&mut self) {
        let is_function = !self.word.is_empty() && self.peek(1) == Some(')');
        if self.word.ends_with('=') {
            return self.enclosed(')');
        }
        if is_function {
            self.take();
            self.take();
            self.word.clear();
            self.words.clear();
            self.functions.push(self.braces);
            return;
        }
        self.end_command();
        self.take();
        self.subshells += 1;
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|character| character != '\n') {
            self.take();
        }
    }

    fn quote(&mut self, mark: char) {
        if self.word.is_empty() && self.words.is_empty() {
            self.started = self.line;
        }
        self.word.push(mark);
        self.take();
        while let Some(character) = self.take() {
            self.word.push(character);
            if character == mark {
                return;
            }
            if character == '\\' && mark == '"' {
                self.keep();
            }
        }
    }

    /// Passes over what a bracket or backquote encloses, and keeps it in the word.
    fn enclosed(&mut self, close: char) {
        let open = match close {
            ')' => '(',
            '}' => '{',
            other => other,
        };
        let mut depth = 0usize;
        self.keep();
        while let Some(character) = self.peek(0) {
            match character {
                '\'' if close != '}' => {
                    self.quote(character);
                    continue;
                }
                '"' => {
                    self.quote(character);
                    continue;
                }
                _ => {}
            }
            self.take();
            self.word.push(character);
            if character == '\\' {
                self.keep();
            } else if character == close {
                if depth == 0 {
                    return;
                }
                depth -= 1;
            } else if character == open {
                depth += 1;
            }
        }
    }

    /// `<<WORD` or `<<-WORD`.
    fn here(&mut self) {
        self.take();
        self.take();
        if self.peek(0) == Some('-') {
            self.take();
        }
        self.end_word();
        while self.peek(0) == Some(' ') {
            self.take();
        }
        let mut end = String::new();
        while let Some(character) = self.peek(0) {
            if character.is_whitespace() || ";|&<>()".contains(character) {
                break;
            }
            self.take();
            if !"'\"\\".contains(character) {
                end.push(character);
            }
        }
        self.pending.push(end);
    }

    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.pending) {
            loop {
                let mut line = String::new();
                while self.peek(0).is_some_and(|character| character != '\n') {
                    line.extend(self.take());
                }
                if self.take().is_none() || line.trim_start_matches('\t').trim_end() == end {
                    break;
                }
            }
        }
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        // Braces group only where a command could stand.
        match word.as_str() {
            "{" if self.words.is_empty() => self.braces += 1,
            "}" if self.words.is_empty() => {
                self.braces = self.braces.saturating_sub(1);
                if self.functions.last() == Some(&self.braces) {
                    self.functions.pop();
                }
            }
            "function" if self.words.is_empty() => self.functions.push(self.braces),
            word if self.words.is_empty() && LEADING.contains(&word) => {}
            _ => self.words.push(word),
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        let redirected = std::mem::take(&mut self.redirected);
        if !words.is_empty() && self.subshells == 0 {
            self.commands.push(Command {
                line: self.started,
                words,
                redirected,
                in_function: !self.functions.is_empty(),
            });
        }
        self.started = self.line;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first_words(script: &str) -> Vec<String> {
        commands(script)
            .into_iter()
            .map(|command| {
                let place = if command.in_function { "f:" } else { "" };
                let end = if command.redirected { ">" } else { "" };
                format!("{place}{}{end}", command.words[0])
            })
            .collect()
    }

    #[test]
    fn sees_the_commands_of_the_sourcing_shell_only() {
        for (script, words) in [
            ("export A=1\nexit 2\n", vec!["export", "exit"]),
            ("if [ -z \"$A\" ]; then exit; fi", vec!["[", "exit", "fi"]),
            ("# exit\necho 'exit'\n", vec!["echo"]),
            ("A=$(exit 1)\n(exit 2)\n", vec!["A=$(exit 1)"]),
            (
                "f() {\n  echo x\n  exit\n}\ntrue",
                vec!["f:echo", "f:exit", "true"],
            ),
            (
                "echo x >&2; echo y | cat; echo z",
                vec!["echo>", "echo>", "cat", "echo"],
            ),
            ("cat <<EOF > f\nexit\nEOF\ntrue", vec!["cat>", "true"]),
            ("a && b || c", vec!["a", "b", "c"]),
            ("A=${B:-\"x y\"}", vec!["A=${B:-\"x y\"}"]),
            ("A=(exit now)", vec!["A=(exit now)"]),
            ("export A=1 \\\n  B=2", vec!["export"]),
        ] {
            assert_eq!(first_words(script), words, "{script}");
        }
    }

    #[test]
    fn knows_lines() {
        let commands = commands("\n# x\n\nset -e\n");
        assert_eq!((commands[0].line, commands[0].words.len()), (4, 2));
    }

    proptest! {
        #[test]
        fn no_script_makes_it_panic(script in "[a-z$(){}\"'`\\\\<>|&;# \n=-]{0,60}") {
            commands(&script);
        }
    }
}
