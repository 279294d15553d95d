//! Log lines as JSON, one object each: `timestamp`, `level`, `message`, the event's fields,
//! `target`, and `request` where the line belongs to a request. Our own, because the JSON of
//! `tracing-subscriber` parses the fields of a request's span again for each of its lines.

use std::fmt;

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The field, of a span or of an event, that names a request.
const REQUEST: &str = "request";

/// Writes events.
pub(super) struct Lines;

impl<S: Subscriber + for<'s> LookupSpan<'s>> FormatEvent<S, SpanRequest> for Lines {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, SpanRequest>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str(r#"{"timestamp":""#)?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, r#"","level":"{}""#, event.metadata().level())?;
        let mut members = Members {
            writer: &mut writer,
            origin: None,
            names_request: false,
            result: Ok(()),
        };
        event.record(&mut members);
        match members.origin.take() {
            Some(origin) => members.put("target", &origin),
            None => members.put("target", event.metadata().target()),
        }
        if !members.names_request {
            let spans = context.event_scope().into_iter().flatten();
            for span in spans {
                if let Some(request) = span.extensions().get::<FormattedFields<SpanRequest>>()
                    && !request.is_empty()
                {
                    members.put(REQUEST, request.as_str());
                    break;
                }
            }
        }
        members.result?;
        writer.write_str("}\n")
    }
}

/// Of a span's fields, the request's id is kept, as it is.
pub(super) struct SpanRequest;

impl<'w> FormatFields<'w> for SpanRequest {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut found = OnlyRequest(&mut writer, Ok(()));
        fields.record(&mut found);
        found.1
    }
}

struct OnlyRequest<'a, 'w>(&'a mut Writer<'w>, fmt::Result);

impl Visit for OnlyRequest<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == REQUEST {
            self.1 = self.0.write_str(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// The members of an event's object, after the first.
struct Members<'a, 'w> {
    writer: &'a mut Writer<'w>,
    /// The target of a record of the `log` crate.
    origin: Option<String>,
    names_request: bool,
    result: fmt::Result,
}

impl Members<'_, '_> {
    fn put(&mut self, name: &str, value: impl Serialize) {
        self.names_request |= name == REQUEST;
        let written = self.member(name, value);
        self.result = self.result.and(written);
    }

    fn member(&mut self, name: &str, value: impl Serialize) -> fmt::Result {
        write!(self.writer, ",\"{name}\":")?;
        serde_json::to_writer(Bytes(self.writer), &value).map_err(|_| fmt::Error)
    }
}

impl Visit for Members<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.origin = Some(value.to_owned()),
            "log.module_path" | "log.file" => {}
            name => self.put(name, value),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() != "log.line" {
            self.put(field.name(), value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), format_args!("{value:?}"));
    }
}

/// What serde_json writes is UTF-8, and comes in whole characters.
struct Bytes<'a, 'w>(&'a mut Writer<'w>);

impl std::io::Write for Bytes<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(std::io::Error::other)?;
        let written = self.0.write_str(text).map_err(std::io::Error::other);
        written.map(|()| bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use time::format_description::well_known::Rfc3339;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Shared {
        type Writer = Shared;

        fn make_writer(&self) -> Shared {
            self.clone()
        }
    }

    /// The lines that `act` logs, without their times.
    fn lines(act: impl FnOnce()) -> Vec<Value> {
        let written = Shared::default();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(SpanRequest)
            .event_format(Lines)
            .with_writer(written.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let line = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            time::OffsetDateTime::parse(time.as_str().unwrap(), &Rfc3339).unwrap();
            line
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn line_of_an_event_holds_its_fields_with_their_types() {
        let logged = lines(|| {
            tracing::warn!(target: "t", text = "a\"b\n\u{1b}é", number = 7, less = -1, yes = true, half = 0.5,
                shown = %"x\\y", debug = ?Some("z"), none = None::<&str>, "said {}", "\"so\"");
        });
        let expected = json!([{
            "level": "WARN", "target": "t", "message": "said \"so\"", "text": "a\"b\n\u{1b}é", "number": 7,
            "less": -1, "yes": true, "half": 0.5, "shown": "x\\y", "debug": "Some(\"z\")",
        }]);
        assert_eq!(json!(logged), expected);
    }

    #[test]
    fn line_within_a_request_carries_its_id_once() {
        let logged = lines(|| {
            tracing::info!("before");
            let span = tracing::error_span!("request", request = "r-\"1\"", other = "x");
            span.in_scope(|| {
                tracing::info_span!("inner", a = 1).in_scope(|| tracing::info!("inside"));
                tracing::info!(request = "r-2", "named");
                tracing::info!(parent: None, "apart");
            });
        });
        let requests: Vec<_> = logged.iter().map(|line| line.get("request")).collect();
        let (one, two) = (json!("r-\"1\""), json!("r-2"));
        assert_eq!(requests, [None, Some(&one), Some(&two), None]);
    }
}
