FROM python:3.13-slim AS build
WORKDIR /build
COPY constraints.txt ./
RUN python -m venv /opt/rtml \
    && /opt/rtml/bin/python -m pip install --quiet --no-cache-dir --constraint constraints.txt --upgrade pip
COPY LICENSE README.md pyproject.toml ./
COPY worker worker
RUN /opt/rtml/bin/pip install --quiet --no-cache-dir \
    --constraint constraints.txt --build-constraint constraints.txt '.[s3]'

FROM python:3.13-slim
LABEL org.opencontainers.image.title="rtml-worker" \
      org.opencontainers.image.description="Scores Kafka events in real time through a graph of nodes around ONNX models" \
      org.opencontainers.image.licenses="Apache-2.0"
# The root file system may be read-only: no byte code is written, and /tmp is the only place that is.
ENV PATH=/opt/rtml/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/rtml /opt/rtml
COPY graphs /graphs
WORKDIR /graphs
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 6066
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + (os.environ.get('RTML_HTTP_PORT') or '6066') + '/health/live', timeout=2)"]
ENTRYPOINT ["rtml"]
CMD ["--help"]
