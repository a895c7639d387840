// The few calls of MPI that are needed. Its communicators and types are macros, which Swift cannot
// import; errors end the whole job, which is what MPI does unless told otherwise.
#include <mpi.h>

static inline void surgeon_mpi_begin(void) {
  int provided;
  MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
}

static inline int surgeon_mpi_rank(void) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static inline int surgeon_mpi_count(void) {
  int count;
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  return count;
}

// The processes on this machine.
static inline int surgeon_mpi_local_count(void) {
  MPI_Comm local;
  int count;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
  MPI_Comm_size(local, &count);
  MPI_Comm_free(&local);
  return count;
}

static inline void surgeon_mpi_all_gather(const void *own, void *all, int bytes) {
  MPI_Allgather(own, bytes, MPI_BYTE, all, bytes, MPI_BYTE, MPI_COMM_WORLD);
}

static inline void surgeon_mpi_all_to_all(const float *sent, float *received, int each) {
  MPI_Alltoall(sent, each, MPI_FLOAT, received, each, MPI_FLOAT, MPI_COMM_WORLD);
}

static inline void surgeon_mpi_gather(const float *own, float *all, int each) {
  MPI_Gather(own, each, MPI_FLOAT, all, each, MPI_FLOAT, 0, MPI_COMM_WORLD);
}

static inline void surgeon_mpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

static inline void surgeon_mpi_end(void) { MPI_Finalize(); }
