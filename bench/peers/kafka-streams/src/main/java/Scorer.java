import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The model: an event in, the same event with its score out. */
final class Scorer {
  private final ObjectMapper json = new ObjectMapper();
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final String input;
  private final Set<String> output;
  private final String[] names;

  Scorer(String model) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    session = environment.createSession(model, options);
    input = session.getInputNames().iterator().next();
    output = Set.of(List.copyOf(session.getOutputNames()).get((int) session.getNumOutputs() - 1));
    TensorInfo info = (TensorInfo) session.getInputInfo().get(input).getInfo();
    names = new String[(int) info.getShape()[1]];
    for (int i = 0; i < names.length; i++) {
      names[i] = "f" + i;
    }
  }

  byte[] score(byte[] value) {
    try {
      ObjectNode event = (ObjectNode) json.readTree(value);
      float[] found = run(event.has("dataPoint") ? vector(event) : row(event));
      if (found.length == 2) {
        event.put("risk", found[1]);
      } else {
        ArrayNode prediction = event.putArray("prediction");
        for (float one : found) {
          prediction.add(one);
        }
      }
      return json.writeValueAsBytes(event);
    } catch (IOException | OrtException error) {
      throw new IllegalStateException(error);
    }
  }

  private float[] run(float[] row) throws OrtException {
    try (OnnxTensor tensor = OnnxTensor.createTensor(environment, new float[][] {row});
        OrtSession.Result result = session.run(Map.of(input, tensor), output)) {
      return ((float[][]) result.get(0).getValue())[0];
    }
  }

  private float[] row(JsonNode event) {
    float[] row = new float[names.length];
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) event.get(names[i]).doubleValue();
    }
    return row;
  }

  private float[] vector(JsonNode event) {
    String[] items = event.get("dataPoint").textValue().split(",");
    float[] row = new float[items.length];
    for (int i = 0; i < row.length; i++) {
      row[i] = Float.parseFloat(items[i]);
    }
    return row;
  }
}
