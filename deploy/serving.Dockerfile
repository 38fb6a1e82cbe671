# The image that KServe and SageMaker run beside a bundle: build it from the project's folder with
#   docker build -f deploy/serving.Dockerfile --secret id=signers,src=bundle.pub -t modelops-serving .
# The public keys whose bundles are served are part of it, so that whoever may write into the bucket cannot add one.
FROM python:3.11-slim
COPY pyproject.toml README.md /src/
COPY models /src/models
COPY activities /src/activities
COPY workflows /src/workflows
COPY worker /src/worker
COPY client /src/client
RUN pip install --no-cache-dir --no-compile /src'[serve,sklearn]' && rm -rf /src
RUN --mount=type=secret,id=signers mkdir -p /etc/modelops && cp /run/secrets/signers /etc/modelops/bundle.pub
USER 65534
EXPOSE 8080
ENTRYPOINT ["python", "-m", "worker.container"]
