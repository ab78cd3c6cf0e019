//! A request or a response, whole.

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::{binary, json};
use crate::command_header::{CommandHeader, HeaderError};
use crate::ext_fields::ExtFields;
use crate::head::{Head, HeadRef};
use crate::language::Language;
use crate::prefix::{self, HEADER_SIZE_END, PREFIX_SIZE};
use crate::request_code::RequestCode;
use crate::response_code::ResponseCode;
use crate::serialize_type::SerializeType;
use crate::version::VERSION;

const FLAG_RESPONSE: i32 = 1;
const FLAG_ONEWAY: i32 = 2;

/// What travels in one frame.
#[derive(Clone, PartialEq, Debug)]
pub struct RemotingCommand {
    /// A [`RequestCode`], or a [`ResponseCode`] when [`RemotingCommand::is_response`].
    pub code: i32,
    /// The sender's language.
    pub language: Language,
    /// The sender's release, see [`crate::version`]. Peers look at it in responses too.
    pub version: i32,
    /// Matches a response to its request; each direction of a connection counts on its own.
    pub opaque: i32,
    /// Bit 0: a response. Bit 1: a oneway request.
    pub flag: i32,
    /// Why a request failed, for people. Never empty: an empty one decodes as none.
    pub remark: Option<String>,
    /// The custom header.
    pub ext_fields: ExtFields,
    /// The body; "no body" and an empty one are the same on the wire.
    pub body: Bytes,
    /// The form of the header, in which the answer goes too.
    pub serialize_type: SerializeType,
}

impl RemotingCommand {
    /// A request. Its `opaque` is 0 until the connection that sends it gives it one.
    pub fn request(code: RequestCode, header: &impl CommandHeader) -> Self {
        let mut request = Self::request_without_header(code);
        header.encode_for(code, &mut request.ext_fields);
        request
    }

    /// A request that has no custom header.
    pub fn request_without_header(code: RequestCode) -> Self {
        Self {
            code: code.0,
            language: Language::JAVA,
            version: VERSION,
            opaque: 0,
            flag: 0,
            remark: None,
            ext_fields: ExtFields::new(),
            body: Bytes::new(),
            serialize_type: SerializeType::Json,
        }
    }

    /// The answer to `request`: same opaque, same form of header.
    pub fn response_to(request: &Self, code: ResponseCode) -> Self {
        Self {
            code: code.0,
            opaque: request.opaque,
            flag: FLAG_RESPONSE,
            serialize_type: request.serialize_type,
            ..Self::request_without_header(RequestCode(0))
        }
    }

    /// With that body.
    pub fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// With that remark.
    pub fn with_remark(self, remark: impl Into<String>) -> Self {
        Self { remark: Some(remark.into()).filter(|text| !text.is_empty()), ..self }
    }

    /// With the fields of that header added.
    pub fn with_header(mut self, header: &impl CommandHeader) -> Self {
        header.encode(&mut self.ext_fields);
        self
    }

    /// As a request that nobody answers.
    pub fn into_oneway(self) -> Self {
        Self { flag: self.flag | FLAG_ONEWAY, ..self }
    }

    /// Whether this answers a request.
    pub fn is_response(&self) -> bool {
        self.flag & FLAG_RESPONSE != 0
    }

    /// Whether this request must not be answered.
    pub fn is_oneway(&self) -> bool {
        self.flag & FLAG_ONEWAY != 0
    }

    /// The code of a request.
    pub fn request_code(&self) -> RequestCode {
        RequestCode(self.code)
    }

    /// The code of a response.
    pub fn response_code(&self) -> ResponseCode {
        ResponseCode(self.code)
    }

    /// The custom header.
    ///
    /// # Errors
    /// A field is missing or malformed.
    pub fn header<H: CommandHeader>(&self) -> Result<H, HeaderError> {
        H::decode(&self.ext_fields)
    }

    /// Appends the whole frame.
    pub fn encode(&self, to: &mut BytesMut) {
        self.encode_head(self.body.len(), to);
        to.put_slice(&self.body);
    }

    /// Appends the frame up to its body of `body_len` bytes, which must follow on the wire.
    ///
    /// A header that no frame can carry (16 MiB or more, so nothing a handler means to say) is
    /// replaced by one without fields; a response then says SYSTEM_ERROR. The caller keeps the
    /// whole frame within [`crate::frame::FRAME_SIZE_MAX`], or the peer closes the connection.
    pub fn encode_head(&self, body_len: usize, to: &mut BytesMut) {
        let start = to.len();
        self.encode_header(self.as_head(), body_len, to);
        if to.len() - start - PREFIX_SIZE < HEADER_SIZE_END {
            return;
        }
        to.truncate(start);
        let none = ExtFields::new();
        let code = if self.is_response() { ResponseCode::SYSTEM_ERROR.0 } else { self.code };
        let remark = Some("the header would exceed 16 MiB; ask for less at once");
        let head = HeadRef { code, remark, ext_fields: &none, ..self.as_head() };
        self.encode_header(head, body_len, to);
    }

    fn as_head(&self) -> HeadRef<'_> {
        HeadRef {
            code: self.code,
            language: self.language,
            version: self.version,
            opaque: self.opaque,
            flag: self.flag,
            remark: self.remark.as_deref().filter(|text| !text.is_empty()),
            ext_fields: &self.ext_fields,
        }
    }

    fn encode_header(&self, head: HeadRef<'_>, body_len: usize, to: &mut BytesMut) {
        let start = to.len();
        to.put_bytes(0, PREFIX_SIZE);
        match self.serialize_type {
            SerializeType::Json => json::encode(head, to),
            SerializeType::RocketMq => binary::encode(head, to),
        }
        let header_len = to.len() - start - PREFIX_SIZE;
        prefix::put(&mut to[start..], self.serialize_type, header_len, body_len);
    }

    /// Decodes a header; `body` goes with it.
    pub(crate) fn decode(
        serialize_type: SerializeType,
        header: &[u8],
        body: Bytes,
    ) -> Result<Self, crate::error::DecodeError> {
        let head = match serialize_type {
            SerializeType::Json => json::decode(header)?,
            SerializeType::RocketMq => binary::decode(header)?,
        };
        let Head { code, language, version, opaque, flag, remark, ext_fields } = head;
        Ok(Self { code, language, version, opaque, flag, remark, ext_fields, body, serialize_type })
    }
}
