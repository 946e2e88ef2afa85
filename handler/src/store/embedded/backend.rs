//! The S3 operations that this house uses, each in terms of the [`Folder`].

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::folder::{Folder, Precondition, blocking, internal, names};
use super::multipart::Upload;
use super::receive::{Claim, receive};
use super::sealed::{self, Seal, Sums};
use super::send::FileBody;
use super::sight::Sight;

/// S3 over a folder.
#[derive(Debug, Clone)]
pub(super) struct Backend {
    folder: Folder,
    sight: Arc<dyn Sight>,
}

impl Backend {
    pub(super) fn new(folder: Folder, sight: Arc<dyn Sight>) -> Self {
        Self { folder, sight }
    }

    /// Runs `work` on the folder, on a thread that may block.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let folder = self.folder.clone();
        blocking(move || work(&folder)).await
    }
}

/// Checks a read's conditions.
fn check_read(seal: &Seal, if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<()> {
    if if_match.is_some_and(|tag| !tag.is_any() && !names(tag, seal)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(|tag| tag.is_any() || names(tag, seal)) {
        let mut error = S3Error::new(S3ErrorCode::Custom("NotModified".into()));
        error.set_status_code(http::StatusCode::NOT_MODIFIED);
        return Err(error);
    }
    Ok(())
}

#[async_trait::async_trait]
impl S3 for Backend {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = request.input.bucket;
        if !self.on_disk(move |folder| folder.create_bucket(&bucket).map_err(internal)).await? {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        let bucket = request.input.bucket;
        self.on_disk(move |folder| folder.require_bucket(&bucket)).await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let bucket = input.bucket.clone();
        self.on_disk(move |folder| folder.require_bucket(&bucket)).await?;
        let claim = Claim {
            length: input.content_length,
            md5: input.content_md5,
            sums: Sums {
                crc32: input.checksum_crc32,
                crc32c: input.checksum_crc32c,
                sha1: input.checksum_sha1,
                sha256: input.checksum_sha256,
                crc64nvme: input.checksum_crc64nvme,
            },
            algorithm: input.checksum_algorithm.map(|algorithm| algorithm.as_str().to_owned()),
            trailers: request.trailing_headers,
        };
        let received = receive(&self.folder, input.body, claim).await?;
        let condition = Precondition { if_match: input.if_match, if_none_match: input.if_none_match };
        let seal = Seal {
            key: input.key,
            length: received.length,
            etag: hex::encode(&received.md5),
            modified: Seal::now(),
            content_type: input.content_type,
            metadata: input.metadata,
            sums: received.sums,
        };
        let (mut file, bucket) = (received.file, input.bucket.clone());
        let seal = self
            .on_disk(move |folder| {
                sealed::close(&mut file, &seal).map_err(internal)?;
                folder.commit(&bucket, &seal.key, file, &condition)?;
                Ok(seal)
            })
            .await?;
        self.sight.created(&input.bucket, &seal.key, &seal.etag);
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(ETag::Strong(seal.etag)),
            checksum_crc32: seal.sums.crc32,
            checksum_crc32c: seal.sums.crc32c,
            checksum_sha1: seal.sums.sha1,
            checksum_sha256: seal.sums.sha256,
            checksum_crc64nvme: seal.sums.crc64nvme,
            ..PutObjectOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let (file, seal) = self.on_disk(move |folder| folder.get(&input.bucket, &input.key)).await?;
        check_read(&seal, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let range = match input.range {
            Some(range) => Some(range.check(seal.length).map_err(|_| s3_error!(InvalidRange))?),
            None => None,
        };
        // A part of the body has no checksum of its own.
        let sums = if input.checksum_mode.is_some() && range.is_none() { seal.sums.clone() } else { Sums::default() };
        let content_range =
            range.as_ref().map(|range| format!("bytes {}-{}/{}", range.start, range.end - 1, seal.length));
        let range = range.unwrap_or(0..seal.length);
        let mut response = S3Response::new(GetObjectOutput {
            content_length: i64::try_from(range.end - range.start).ok(),
            last_modified: Some(seal.modified()),
            body: Some(StreamingBlob::new(FileBody::new(file, range))),
            e_tag: Some(ETag::Strong(seal.etag)),
            metadata: seal.metadata,
            content_type: seal.content_type,
            accept_ranges: Some("bytes".to_owned()),
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            checksum_crc64nvme: sums.crc64nvme,
            content_range,
            ..GetObjectOutput::default()
        });
        if response.output.content_range.is_some() {
            response.status = Some(http::StatusCode::PARTIAL_CONTENT);
        }
        Ok(response)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let (_, seal) = self.on_disk(move |folder| folder.get(&input.bucket, &input.key)).await?;
        check_read(&seal, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let sums = if input.checksum_mode.is_some() { seal.sums.clone() } else { Sums::default() };
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(seal.length).ok(),
            last_modified: Some(seal.modified()),
            e_tag: Some(ETag::Strong(seal.etag)),
            metadata: seal.metadata,
            content_type: seal.content_type,
            accept_ranges: Some("bytes".to_owned()),
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            checksum_crc64nvme: sums.crc64nvme,
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        let condition = Precondition { if_match: input.if_match, if_none_match: None };
        self.on_disk(move |folder| folder.remove(&input.bucket, &input.key, &condition)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        let quiet = input.delete.quiet == Some(true);
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            let (bucket, key) = (input.bucket.clone(), object.key.clone());
            match self.on_disk(move |folder| folder.remove(&bucket, &key, &Precondition::default())).await {
                Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
                Err(error) if *error.code() == S3ErrorCode::NoSuchBucket => return Err(error),
                Err(error) => errors.push(Error {
                    key: Some(object.key),
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    version_id: None,
                }),
            }
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        Ok(S3Response::new(self.on_disk(move |folder| folder.list(input)).await?))
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        let CopySource::Bucket { bucket: from_bucket, key: from_key, version_id: None } = input.copy_source else {
            return Err(s3_error!(NotImplemented, "only objects of buckets here, without versions"));
        };
        let bucket = input.bucket.clone();
        let replace = input.metadata_directive.is_some_and(|way| way.as_str() == MetadataDirective::REPLACE);
        let seal = self
            .on_disk(move |folder| {
                let (mut from, seal) = folder.get(&from_bucket, &from_key)?;
                check_read(&seal, input.copy_source_if_match.as_ref(), None)?;
                folder.require_bucket(&input.bucket)?;
                let mut file = folder.temporary().map_err(internal)?;
                let body = &mut std::io::Read::take(&mut from, seal.length);
                let length = std::io::copy(body, file.as_file_mut()).map_err(internal)?;
                let mut seal = Seal { key: input.key, length, modified: Seal::now(), ..seal };
                if replace {
                    seal = Seal { content_type: input.content_type, metadata: input.metadata, ..seal };
                }
                sealed::close(&mut file, &seal).map_err(internal)?;
                folder.commit(&input.bucket, &seal.key, file, &Precondition::default())?;
                Ok(seal)
            })
            .await?;
        self.sight.created(&bucket, &seal.key, &seal.etag);
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                last_modified: Some(seal.modified()),
                e_tag: Some(ETag::Strong(seal.etag)),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let upload = Upload {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            content_type: input.content_type,
            metadata: input.metadata,
        };
        let id = self.on_disk(move |folder| folder.begin_upload(&upload)).await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let (id, bucket, key) = (input.upload_id, input.bucket, input.key);
        let (path, _) = self.on_disk(move |folder| folder.upload(&id, &bucket, &key)).await?;
        let claim = Claim {
            length: input.content_length,
            md5: input.content_md5,
            sums: Sums {
                crc32: input.checksum_crc32,
                crc32c: input.checksum_crc32c,
                sha1: input.checksum_sha1,
                sha256: input.checksum_sha256,
                crc64nvme: input.checksum_crc64nvme,
            },
            algorithm: input.checksum_algorithm.map(|algorithm| algorithm.as_str().to_owned()),
            trailers: request.trailing_headers,
        };
        let received = receive(&self.folder, input.body, claim).await?;
        let seal = self.on_disk(move |folder| folder.add_part(path, input.part_number, received)).await?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(seal.etag)),
            checksum_crc32: seal.sums.crc32,
            checksum_crc32c: seal.sums.crc32c,
            checksum_sha1: seal.sums.sha1,
            checksum_sha256: seal.sums.sha256,
            checksum_crc64nvme: seal.sums.crc64nvme,
            ..UploadPartOutput::default()
        }))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let (id, bucket, key) = (input.upload_id.clone(), input.bucket.clone(), input.key.clone());
        let parts = self
            .on_disk(move |folder| {
                let (path, _) = folder.upload(&id, &bucket, &key)?;
                folder.parts(&path)
            })
            .await?;
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            parts: Some(parts),
            is_truncated: Some(false),
            ..ListPartsOutput::default()
        }))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let bucket = request.input.bucket;
        let named = bucket.clone();
        let open = self.on_disk(move |folder| folder.open_uploads(&named)).await?;
        let uploads = open.into_iter().map(|(id, upload)| MultipartUpload {
            upload_id: Some(id),
            key: Some(upload.key),
            ..MultipartUpload::default()
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(bucket),
            uploads: Some(uploads.collect()),
            is_truncated: Some(false),
            ..ListMultipartUploadsOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let condition = Precondition { if_match: input.if_match, if_none_match: input.if_none_match };
        let (id, bucket, key) = (input.upload_id, input.bucket.clone(), input.key.clone());
        let seal = self
            .on_disk(move |folder| {
                let (path, upload) = folder.upload(&id, &bucket, &key)?;
                folder.complete_upload(path, upload, &named, &condition)
            })
            .await?;
        self.sight.created(&input.bucket, &input.key, &seal.etag);
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(seal.etag)),
            checksum_crc64nvme: seal.sums.crc64nvme,
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.on_disk(move |folder| {
            let (path, _) = folder.upload(&input.upload_id, &input.bucket, &input.key)?;
            folder.abort_upload(path)
        })
        .await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
