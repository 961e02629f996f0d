//! Finds out the format of a file from its first bytes.

use super::Format;
use super::csv::most_frequent_delimiter;
use super::encoding::Encoding;
use super::mapping::plain_name;

/// The format that the beginning of a file (as UTF-8) shows; none if it is of no known format.
#[must_use]
pub fn detect(head: &[u8]) -> Option<Format> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if is_ofx(head) {
        return Some(Format::Ofx);
    }
    if head.starts_with(b"<") {
        return is_camt(head).then_some(Format::Camt);
    }
    if head.starts_with(b"{1:") || is_mt940(head) {
        return Some(Format::Mt940);
    }
    let array = head.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    if head.starts_with(b"{") || array.is_some_and(|rest| matches!(rest.first(), Some(b'{' | b']'))) {
        return Some(Format::Ndjson);
    }
    if is_bai2(head) {
        return Some(Format::Bai2);
    }
    if is_nacha(head) {
        return Some(Format::Nacha);
    }
    if is_coda(head) {
        return Some(Format::Coda);
    }
    table(head)
}

/// Why a spreadsheet is refused.
pub(super) const SPREADSHEET: &str =
    "a spreadsheet is not read; save the sheet as CSV in UTF-8, and declare its columns in the mapping";

/// Why a file that begins so is not read, whatever is in it, with the way round it. (Spreadsheets of today are archives.)
#[must_use]
pub fn unsupported(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"%PDF-") {
        return Some("a PDF is not read; ask whoever sent it for camt.053, MT940 or CSV");
    }
    head.starts_with(b"\xd0\xcf\x11\xe0").then_some(SPREADSHEET)
}

fn contains(head: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(head, needle).is_some()
}

/// The header of version 1 (`OFXHEADER:100`), the instruction of version 2 (`<?OFX`), or the root element itself.
fn is_ofx(head: &[u8]) -> bool {
    let starts = |what: &[u8]| head.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what));
    starts(b"OFXHEADER") || starts(b"<OFX>") || (starts(b"<?xml") && contains(head, b"<?OFX"))
}

fn is_camt(head: &[u8]) -> bool {
    [&b"camt.05"[..], b"BkToCstmr"].iter().any(|needle| contains(head, needle))
}

/// A line that starts with a tag of a customer statement, and another that follows it; or the account and the amount of a
/// confirmation.
fn is_mt940(head: &[u8]) -> bool {
    let starts = |tag: &[u8]| {
        head.split(|byte| matches!(byte, b'\n' | b'\r')).any(|line| line.trim_ascii_start().starts_with(tag))
    };
    (starts(b":20:") || starts(b":25:") || starts(b":28C:") || starts(b":28:"))
        && ((starts(b":25") && starts(b":32A:"))
            || starts(b":60")
            || starts(b":61:")
            || starts(b":62")
            || starts(b":34F:"))
}

/// A file header `01,` followed by a group header `02,`.
fn is_bai2(head: &[u8]) -> bool {
    let mut lines =
        head.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|l| !l.is_empty());
    lines.next().is_some_and(|line| line.starts_with(b"01,"))
        && lines.find(|line| !line.starts_with(b"88,")).is_none_or(|line| line.starts_with(b"02,"))
}

/// A file header record: type 1, priority code 01, record size 094.
fn is_nacha(head: &[u8]) -> bool {
    head.starts_with(b"101") && head.get(34..37) == Some(b"094")
}

/// A header record of 128 characters: zeros, a date, the bank, application code 05.
fn is_coda(head: &[u8]) -> bool {
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    head.starts_with(b"0000")
        && head
            .get(4..14)
            .is_some_and(|digits| digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '))
        && head.get(14..16) == Some(b"05")
        && String::from_utf8_lossy(line).chars().count() == 128
}

/// CSV, or one of the processors' reports in CSV.
fn table(head: &[u8]) -> Option<Format> {
    let mut tabular = false;
    for line in head.split(|byte| matches!(byte, b'\n' | b'\r')).take(100) {
        let delimiter = most_frequent_delimiter(line);
        if !line.contains(&delimiter) {
            continue;
        }
        tabular = true;
        let names: Vec<String> = line
            .split(|byte| *byte == delimiter)
            .map(|name| plain_name(&String::from_utf8_lossy(name)))
            .collect();
        let has = |name: &str| names.iter().any(|known| known == name);
        if has("grosscurrency") && has("netcreditnc") {
            return Some(Format::Adyen);
        }
        if has("transferwiseid") && has("amount") {
            return Some(Format::Wise);
        }
        if has("transactionid")
            && has("gross")
            && has("fee")
            && has("net")
            && has("timezone")
            && has("status")
        {
            return Some(Format::Paypal);
        }
        let stripe_payout = has("balancetransactionid") && has("gross") && has("net");
        let stripe_history = has("id") && has("source") && has("net") && has("fee") && has("createdutc");
        if stripe_payout || stripe_history {
            return Some(Format::Stripe);
        }
    }
    tabular.then_some(Format::Csv)
}

/// The encoding that an XML declaration names, as far as it is one of ours.
#[must_use]
pub fn xml_encoding(head: &[u8]) -> Option<Encoding> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr::memmem::find(declaration, b"?>")?];
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let value = &declaration[at..];
    let quote = value.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let name = value[quote + 1..].split(|byte| *byte == value[quote]).next()?;
    match name.to_ascii_lowercase().as_slice() {
        b"iso-8859-1" | b"latin1" => Some(Encoding::Latin1),
        b"iso-8859-15" => Some(Encoding::Latin9),
        b"windows-1252" | b"cp1252" => Some(Encoding::Windows1252),
        b"utf-8" => Some(Encoding::Utf8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_show_in_their_first_bytes() {
        for (head, format) in [
            (&b"<?xml version='1.0'?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">"[..], Format::Camt),
            (b"{1:F01AAAABB99BSMK3513951576}{2:O9400934}{4:\r\n:20:1\r\n", Format::Mt940),
            (b"ABNANL2A\r\n940\r\nABNANL2A\r\n:20:ABN AMRO\r\n:25:1\r\n:28:1\r\n:60F:C", Format::Mt940),
            (b"{\"amount\": 1}\n", Format::Ndjson),
            (b"[\n  {\"amount\": 1}]\n", Format::Ndjson),
            (b"[]", Format::Ndjson),
            (b"01,122099999,123456789,260621,0200,1,65,,2/\n02,031001234,122099999,1,260620,2359,,2/", Format::Bai2),
            (b"OFXHEADER:100\nDATA:OFXSGML\n\n<OFX>", Format::Ofx),
            (b"<?xml version=\"1.0\"?>\n<?OFX OFXHEADER=\"200\" VERSION=\"211\"?>\n<OFX>", Format::Ofx),
            (b"101 091000019 1234567892611231200A094101DEST                   ORIGIN", Format::Nacha),
            (b"0000006012653905        REF0000001ACME NV                   GEBABEBB   00477472701 00000                                       2\n", Format::Coda),
            (b":20:T1\n:21:R1\n:25:12345\n:32A:260105EUR10,\n", Format::Mt940),
            (b"balance_transaction_id,created,currency,gross,fee,net\n", Format::Stripe),
            (b"Report of ACME\n\nref;amount;date\n", Format::Csv),
        ] {
            assert_eq!(detect(head), Some(format), "{}", String::from_utf8_lossy(head));
        }
        assert_eq!(detect(b"<html>"), None);
        assert_eq!(detect(b"hello"), None);
        assert_eq!(detect(b""), None);
    }

    #[test]
    fn the_xml_declaration_names_the_encoding() {
        assert_eq!(xml_encoding(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"), Some(Encoding::Latin1));
        assert_eq!(xml_encoding(b"<Document>"), None);
    }
}
